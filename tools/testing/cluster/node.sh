# A real node: containerd and the kubelet in mount and process namespaces of their own, so that the end of one process ends both, and every
# container; sourced by start.
node=$folder/node
mkdir -p "$node"/{cni,kubelet,containerd,sysctl}
# What they write outside their folder is hidden by what init mounts there.
private="/run/containerd /var/lib/cni /var/lib/kubelet /var/log/containers /var/log/pods /opt/containerd"
# shellcheck disable=SC2086
mkdir -p $private
# Addresses that no other cluster of this machine has. The machine is the first of them: it and pods reach each other, and pods nothing else.
number=$(((port - 16500) / 10))
subnet=10.$((244 + number / 250)).$((number % 250))
ip link add "slipway$port" type bridge
ip address add "$subnet.1/24" dev "slipway$port"
ip link set "slipway$port" up
# Without a port, as long as there is no pod, programs do not see the bridge among this machine's interfaces.
ip link add "slipway${port}p" type veth peer name "slipway${port}q"
ip link set "slipway${port}p" master "slipway$port" up
ip link set "slipway${port}q" up
cat >"$node/cni/10-test.conflist" <<Y
{"cniVersion":"0.4.0","name":"test","plugins":[
 {"type":"bridge","bridge":"slipway$port","isGateway":false,"ipMasq":false,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"$subnet.0/24"}]]}}]}
Y
cat >"$node/containerd.toml" <<Y
version = 2
root = "$node/containerd/root"
state = "$node/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs","io.containerd.snapshotter.v1.zfs","io.containerd.snapshotter.v1.devmapper","io.containerd.snapshotter.v1.aufs","io.containerd.tracing.processor.v1.otlp","io.containerd.internal.v1.tracing"]
[grpc]
  address = "$node/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_tcp_service = true
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$node/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
Y
cat >"$node/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: $kubelet
readOnlyPort: 0
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $folder/pki/ca.crt}}
authorization: {mode: AlwaysAllow}
tlsCertFile: $folder/pki/node.crt
tlsPrivateKeyFile: $folder/pki/node.key
containerRuntimeEndpoint: unix://$node/containerd.sock
cgroupDriver: cgroupfs
cgroupsPerQOS: false
# Without cgroups for pods, it falls over when it sees that a container has not the resources that it should have by now.
featureGates: {InPlacePodVerticalScaling: false}
enforceNodeAllocatable: []
failSwapOn: false
makeIPTablesUtilChains: false
localStorageCapacityIsolation: false
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
podLogsDir: $node/podlogs
Y
cat >"$node/init.sh" <<Y
mount --make-rshared /
for folder in $private /etc/cni; do [ -d \$folder ] && mount -t tmpfs none \$folder; done
# The kubelet wants these settings of the kernel. It finds ordinary files that say so, and the machine's own stay as they are.
setting() { echo \$2 >$node/sysctl/\${1##*/}; mount --bind $node/sysctl/\${1##*/} /proc/sys/\$1; }
setting vm/overcommit_memory 1; setting vm/panic_on_oom 0; setting kernel/panic 10; setting kernel/panic_on_oops 1
setting kernel/keys/root_maxkeys 1000000; setting kernel/keys/root_maxbytes 25000000
containerd -c $node/containerd.toml >$folder/log/containerd.log 2>&1 &
for attempt in \$(seq 300); do ctr -a $node/containerd.sock version >/dev/null 2>&1 && break; sleep 0.1; done
ctr -a $node/containerd.sock -n k8s.io images import $built/images.tar >$folder/log/import.log 2>&1
# It ends where containerd does not speak to it yet, as after a restart with containers.
until $kube kubelet --config=$node/kubelet.yaml --root-dir=$node/kubelet --kubeconfig=$folder/kubeconfig/node --hostname-override=localhost; do sleep 0.2; done >>$folder/log/kubelet.log 2>&1 &
wait
Y
run node unshare -m -p -f --kill-child --mount-proc bash "$node/init.sh"
is_ready() { api /api/v1/nodes/localhost | grep -qzE '"type": "Ready",\s+"status": "True"'; }
wait_for "The node" is_ready
