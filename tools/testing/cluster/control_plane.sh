# etcd, the API server, the controllers and the scheduler; sourced by start.
run etcd "$kube" etcd --unsafe-no-fsync --data-dir "$folder/etcd" --logger zap --log-level warn \
  --listen-client-urls http://127.0.0.1:$etcd --advertise-client-urls http://127.0.0.1:$etcd \
  --listen-peer-urls http://127.0.0.1:$etcd_peer --initial-advertise-peer-urls http://127.0.0.1:$etcd_peer \
  --initial-cluster default=http://127.0.0.1:$etcd_peer
run apiserver "$kube" apiserver \
  --etcd-servers=http://127.0.0.1:$etcd --bind-address=127.0.0.1 --secure-port="$port" \
  --endpoint-reconciler-type=none --service-cluster-ip-range=10.96.0.0/24 \
  --cert-dir="$folder/pki" --tls-cert-file=apiserver.crt --tls-private-key-file=apiserver.key \
  --client-ca-file=ca.crt --token-auth-file=tokens.csv --anonymous-auth=false \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
  --service-account-issuer=https://kubernetes.default.svc \
  --service-account-key-file=sa.key --service-account-signing-key-file=sa.key \
  --kubelet-client-certificate=apiserver-kubelet.crt --kubelet-client-key=apiserver-kubelet.key \
  --kubelet-certificate-authority=ca.crt --kubelet-preferred-address-types=Hostname --allow-privileged=true --profiling=false
api() { curl -sf --cacert "$folder/pki/ca.crt" -H "@$folder/pki/header" "https://127.0.0.1:$port$1"; }
wait_for "The API server" api /readyz
run controllers "$kube" controller-manager --kubeconfig="$folder/kubeconfig/controllers" --leader-elect=false \
  --bind-address=127.0.0.1 --secure-port=$controllers --cert-dir="$folder/pki" \
  --service-account-private-key-file=sa.key --root-ca-file=ca.crt \
  --authentication-kubeconfig="$folder/kubeconfig/controllers" --authorization-kubeconfig="$folder/kubeconfig/controllers" \
  --authentication-skip-lookup=true --profiling=false
run scheduler "$kube" scheduler --kubeconfig="$folder/kubeconfig/scheduler" --leader-elect=false \
  --bind-address=127.0.0.1 --secure-port=$scheduler --cert-dir="$folder/pki" \
  --authentication-kubeconfig="$folder/kubeconfig/scheduler" --authorization-kubeconfig="$folder/kubeconfig/scheduler" \
  --authentication-skip-lookup=true --profiling=false
wait_for "The default service account" api /api/v1/namespaces/default/serviceaccounts/default
