/** The hash of contents: by its name in Node, and by the program that makes it. It is twice as quick there as `sha256sum`. */
export const CONTENT_HASH = 'blake2b512';

/** What the walk needs, and the packages of Debian and Ubuntu that have it. */
export const WALK_PROGRAMS: Record<string, string> = {
  find: 'findutils',
  stat: 'coreutils',
  b2sum: 'coreutils',
  getfattr: 'attr',
};

/** What the script writes, each into a file of its own. */
export const WALK_LISTS = ['states', 'targets', 'contents', 'xattrs'] as const;
export type WalkList = (typeof WALK_LISTS)[number];

/** The exit code where a program is missing. */
export const PROGRAM_MISSING = 127;

/**
 * Lists what is at and below the directory $1 into the files $WALK-states (of everything), $WALK-targets (of symlinks), $WALK-contents (of
 * files) and $WALK-xattrs. Once a second it tells on stdout how many bytes were read, by its programs and those that they started.
 */
export const WALK_SCRIPT = `
set -u
export LC_ALL=C
for program in ${Object.keys(WALK_PROGRAMS).join(' ')}; do
  command -v "$program" >/dev/null || { echo "$program" >&2; exit ${String(PROGRAM_MISSING)}; }
done
cd "$1" || exit 2

tell_read() { # PID
  local process bytes sum=0
  for process in $$ "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
    read -r _ bytes <"/proc/$process/io" && sum=$((sum + bytes))
  done 2>/dev/null
  printf '%s\\n' "$sum"
}
exec {never}<> <(:)
list() { # LIST PROGRAM...
  "\${@:2}" >"$WALK-$1" &
  local program=$! teller code
  while :; do read -r -t 1 -u "$never"; tell_read "$program"; done &
  teller=$!
  wait "$program"
  code=$?
  kill "$teller"
  wait "$teller" 2>/dev/null
  [[ $code -eq 0 ]] && return
  echo "$2 ended with code $code" >&2
  exit 1
}
list states find . -exec stat --printf '%f %u %g %s %.9Y %t %T %d:%i %h\\0%n\\0' -- {} +
list targets find . -type l -printf '%p\\0%l\\0'
list contents find . -type f -exec b2sum --zero -- {} +
list xattrs getfattr --recursive --physical --no-dereference --dump --match=- --encoding=hex -- .
exit 0
`;
