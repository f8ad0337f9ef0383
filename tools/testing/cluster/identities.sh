# Certificates, tokens and kubeconfigs; sourced by start.
cd "$folder/pki"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null; }
certificate() { # NAME SUBJECT [ALTERNATIVE NAMES]
  key "$1"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" -extfile <(
    printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n%s' "${3:+subjectAltName=$3}"
  ) 2>/dev/null
}
kubeconfig() { # NAME USER
  cat >"$folder/kubeconfig/$1" <<Y
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$port", certificate-authority-data: "$(base64 -w0 ca.crt)"}}]
users: [{name: $1, user: {$2}}]
contexts: [{name: test, context: {cluster: test, user: $1}}]
current-context: test
Y
  chmod 600 "$folder/kubeconfig/$1"
}

key ca
openssl req -x509 -new -key ca.key -days 30 -subj /CN=test-ca -out ca.crt \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
certificate apiserver /CN=kube-apiserver \
  "IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
certificate admin /O=system:masters/CN=admin
certificate controllers /O=system:masters/CN=system:kube-controller-manager
certificate scheduler /CN=system:kube-scheduler
certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
certificate node /O=system:nodes/CN=system:node:localhost "IP:127.0.0.1,DNS:localhost"
openssl genrsa -out sa.key 2048 2>/dev/null
admin_token=$(openssl rand -hex 24) app_token=$(openssl rand -hex 24)
printf '%s,token-admin,1,"system:masters"\n%s,app,2,\n' "$admin_token" "$app_token" >tokens.csv
echo "Authorization: Bearer $admin_token" >header
chmod 600 ./*.key tokens.csv header
for name in admin controllers scheduler node; do
  kubeconfig $name "client-certificate-data: $(base64 -w0 $name.crt), client-key-data: $(base64 -w0 $name.key)"
done
kubeconfig app "token: $app_token"
