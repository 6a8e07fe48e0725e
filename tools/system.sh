#!/usr/bin/env bash
# What the tests need from the system: a JDK and Maven, for a real Neo4j server; Chromium and Chinese letters, for the
# workbench's pages. Installed where that is allowed (root on Debian or Ubuntu), named in one line where it is not.
set -euo pipefail
missing=()
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
[ -x /usr/bin/chromium ] || missing+=(chromium)
command -v fc-list >/dev/null && fc-list :lang=zh family 2>/dev/null | grep -q . || missing+=(fontconfig fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null && exit 0
fi
echo "ringroad: the tests of Neo4j and of pages are skipped without ${missing[*]}; on Debian: sudo apt-get install ${missing[*]}"
