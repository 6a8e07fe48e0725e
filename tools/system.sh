#!/usr/bin/env bash
# What the tests need from the system: a JDK and Maven, for a real Neo4j server; Chromium and Chinese letters, for pages and
# reports; PostgreSQL, for a team's casebook; docker-compose (no engine) and OpenSSL, for docker-compose.yml. Installed where
# that is allowed (root on Debian or Ubuntu), named in one line where it is not. nginx is only unpacked, into .tools, so that
# no service of it is started on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
[ -x /usr/bin/chromium ] || missing+=(chromium)
command -v fc-list >/dev/null && fc-list :lang=zh family 2>/dev/null | grep -q . || missing+=(fontconfig fonts-noto-cjk)
command -v initdb >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
command -v docker-compose >/dev/null || missing+=(docker-compose)
command -v openssl >/dev/null || missing+=(openssl)
have_nginx() { command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || [ -x .tools/nginx/usr/sbin/nginx ]; }
[ ${#missing[@]} -eq 0 ] && have_nginx && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  [ ${#missing[@]} -eq 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null || failed=1
  if ! have_nginx; then
    mkdir -p .tools
    place="$(mktemp -d)"
    (cd "$place" && apt-get download -qq nginx 2>/dev/null) && dpkg-deb -x "$place"/nginx_*.deb .tools/nginx || failed=1
    rm -rf "$place"
  fi
  [ -n "${failed:-}" ] || exit 0
fi
have_nginx || missing+=(nginx)
echo "ringroad: the tests of Neo4j, PostgreSQL, pages and compose are skipped without ${missing[*]}; on Debian: sudo apt-get install ${missing[*]}"
