# The part of scripts/setup that sees to a Docker engine; read by it, not run.

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

docker_packages() { # the packages that a machine without an engine lacks
  docker_answers && return
  type -P dockerd >/dev/null || echo docker.io iptables
  # Debian 13 has the client in a package of its own.
  if ! type -P docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; fi
}

bring_docker() {
  docker_answers && return
  local why
  if why=$(try_docker); then return; fi
  if [[ $docker_optional ]]; then say "no Docker engine can be had ($why): volumes are left out"; return; fi
  say "cannot set up: because no Docker engine can be had: $why"
  say_how_to_get_docker
  exit 1
}

say_how_to_get_docker() {
  say "HINT: install Docker, start it (sudo systemctl start docker), and let this user use it (sudo usermod -aG docker $(id -un))."
}

# Prints why there is none where it fails. (set -e does not work in a condition, hence the returns.)
try_docker() {
  if [[ $(id -u) != 0 ]]; then echo "none answers, and only root may start one"; return 1; fi
  local lacking
  lacking=$(docker_packages)
  if [[ $lacking ]]; then
    if ! may_install_packages; then echo "not installed, and this machine has no apt-get"; return 1; fi
    install_packages $lacking || { echo "its packages could not be installed"; return 1; }
    [[ ! $(docker_packages) ]] || install_packages $(docker_packages) || { echo "its client could not be installed"; return 1; }
  fi
  docker_answers || start_docker_engine
}

start_docker_engine() {
  local log=$CACHE/logs/dockerd.log engine
  remove_stale_pid_file /var/run/docker.pid dockerd
  remove_stale_pid_file /var/run/docker/containerd/containerd.pid containerd
  mount_cgroups || { echo "the cgroup file systems cannot be mounted"; return 1; }
  say "starting dockerd (log: $log)"
  mkdir -p "${log%/*}"
  setsid dockerd >"$log" 2>&1 </dev/null 9>&- &
  engine=$!
  for _ in {1..60}; do
    docker_answers && return
    kill -0 $engine 2>/dev/null || break
    sleep 1
  done
  kill $engine 2>/dev/null || true
  echo "dockerd did not come up, see $log"
  return 1
}

# An engine that was killed leaves its pid file, and refuses to start once another process has that number.
remove_stale_pid_file() { # FILE PROGRAM
  [[ -s $1 ]] || return 0
  [[ $(cat "/proc/$(<"$1")/comm" 2>/dev/null) == "$2" ]] || rm -f "$1"
}

mount_cgroups() {
  [[ -e /sys/fs/cgroup/cgroup.controllers || -d /sys/fs/cgroup/devices ]] && return
  type -P cgroupfs-mount >/dev/null || install_packages cgroupfs-mount || return
  say "mounting the cgroup file systems"
  cgroupfs-mount
}

# The names differ: Docker's own packages, Ubuntu's, Debian's from 13 on (12 has an older program under the last one).
PLUGIN_PACKAGES='compose docker-compose-plugin docker-compose-v2 docker-compose
buildx docker-buildx-plugin docker-buildx'

bring_docker_plugins() {
  local plugin names package missing=()
  if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then return; fi
  take_turns
  while read -r plugin names; do
    ! docker "$plugin" version >/dev/null 2>&1 || continue
    for package in $names; do
      if may_install_packages && has_package "$package" && install_packages "$package" && docker "$plugin" version >/dev/null 2>&1; then
        continue 2
      fi
    done
    missing+=("the $plugin plugin (package ${names// / or })")
  done <<<"$PLUGIN_PACKAGES"
  ((${#missing[@]})) || return 0
  say "cannot set up: because Docker lacks ${missing[*]}"
  say "HINT: install one of these packages; plugins lie in /usr/libexec/docker/cli-plugins or ~/.docker/cli-plugins."
  exit 1
}

# An old Python program is called docker-compose too.
has_package() { # PACKAGE
  local version
  version=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
  [[ $version && $version != '(none)' && $version != 1.* ]]
}
