#!/usr/bin/env bash
# The files that docker-compose.yml hands to its services, in .secrets beside it: new passwords, never written over.
#
#   deploy/secrets.sh                          passwords
#   deploy/secrets.sh --trial ringroad.test    and a certificate for that name, signed by nobody, for a trial only
#
# A service reads its file as a user of its own, so each file is readable by all and the folder by its owner only.
set -euo pipefail
folder="$(cd "$(dirname "$0")/.." && pwd)/.secrets"
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

once() { # NAME COMMAND...: what the command prints, unless there is such a file
  local name="$1"
  shift
  [ ! -e "$folder/$name" ] || return 0
  "$@" > "$folder/$name.new"
  chmod 444 "$folder/$name.new"
  mv "$folder/$name.new" "$folder/$name"
  echo "made .secrets/$name"
}

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
neo4j_auth() { printf 'neo4j/%s' "$(cat "$folder/neo4j_password")"; }
certificate() { # for HOST, signed with the key that is there
  openssl req -x509 -key "$folder/tls_key.pem" -days 90 -subj "/CN=$1" -addext "subjectAltName=DNS:$1"
}

once neo4j_password password
once neo4j_auth neo4j_auth
once postgres_password password
once smtp_password true # empty: a mail server that asks for none
if [ "${1:-}" = --trial ]; then
  host="${2:?name the host that the certificate is for}"
  once tls_key.pem openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256
  once tls_certificate.pem certificate "$host"
fi
for name in tls_certificate.pem tls_key.pem; do
  [ -e "$folder/$name" ] || echo "missing .secrets/$name: put the proxy's there (PEM, mode 444)"
done
