# Sourced by ./quickstart and ./test: says what is missing and installs it where it can.
# shellcheck shell=bash

step() { printf '\033[1;36m==>\033[0m %s\n' "$*"; }
fail() { printf '\033[1;31mpodhost:\033[0m %s\n' "$*" >&2; exit 1; }

# The packages of Debian that the product itself needs at run time, and the program that shows each is there.
runtime_packages=(runc:runc conmon:conmon catatonit:catatonit nftables:nft iproute2:ip ca-certificates:update-ca-certificates)

require_root() {
  [ "$(id -u)" -eq 0 ] || fail "containers need root: run it again with sudo"
}

require_dotnet() {
  command -v dotnet >/dev/null 2>&1 || fail "the .NET 10 SDK is missing: install dotnet-sdk-10.0 from your distribution or from dot.net"
  local have
  have=$(cd / && dotnet --list-sdks 2>/dev/null | cut -d. -f1 | sort -n | tail -1)
  [ "${have:-0}" -ge 10 ] || fail "the .NET 10 SDK is missing (newest here: ${have:-none}): install dotnet-sdk-10.0"
}

require_kernel() {
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || grep -qw overlay /proc/filesystems \
    || fail "this kernel has no overlayfs: load the module 'overlay' or use a kernel with CONFIG_OVERLAY_FS"
  local ns
  for ns in net pid ipc uts mnt; do
    [ -e "/proc/self/ns/$ns" ] || fail "this kernel has no $ns namespaces: use a kernel with CONFIG_NAMESPACES"
  done
}

# install_packages PKG:PROGRAM… installs those whose program is absent. A program not on PATH is named relative to /usr/sbin.
install_packages() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair#*:}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair#*:}" ] || missing+=("${pair%%:*}")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null 2>&1 || fail "please install: ${missing[*]} (no apt-get here)"
  step "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || fail "apt-get update failed: no package source is reached"
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || fail "apt-get could not install: ${missing[*]}"
}

# port_free PORT: is nothing listening there?
port_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
