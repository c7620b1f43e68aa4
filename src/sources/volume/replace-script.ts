import { extractInto, preamble, quoted } from '../docker/helper-script.js';
import { CREATE_OPTIONS, EXTRACT_ALL_OPTIONS } from '../tar/options.js';

/**
 * The scripts of a restore in place. They work in the volume's own top ($VOLUME), by renames of its entries, each of which is
 * done or not. What is there is told by the name of one directory, so that whoever comes after a kill knows what to do:
 * `.restoring-TOKEN`: the old content is where it was, and the new one grows in there, in `new`.
 * `.replacing-TOKEN`: the old content is on its way into there (`leaving`), or all of it is (`old`) and the new one comes out.
 * `.removing-TOKEN`: holds nothing of worth.
 * A change of that name is a claim: of two that try, one gets it.
 */
export const STAGE = { restoring: '.restoring-', replacing: '.replacing-', removing: '.removing-' } as const;

/** Where the volume is that keeps the old content. */
export const BEFORE_MOUNT_POINT = '/backup-orchestrator/before';

export const EXIT = {
  /** The stage is not the one that this restore left: another one has removed or claimed it. Or there is one already. */
  taken: 6,
  /** The replacement failed and was undone. */
  undone: 3,
} as const;

const ENTRIES_AT_ONCE = 500;
/** As attempts have it: a directory of the content that is called much like a stage is none. */
const TOKEN = '[0-9a-f]{12}';
const ROOT_ONLY = `tar ${quoted(CREATE_OPTIONS)} --no-recursion`;

const BEGIN = `
shopt -s dotglob nullglob
cd "$VOLUME" || exit 2
restoring=${STAGE.restoring}$TOKEN replacing=${STAGE.replacing}$TOKEN removing=${STAGE.removing}$TOKEN

apply_root() { # FILE: an archive of the top alone
  [[ -f $1 ]] || return 0
  if command -v getfattr >/dev/null && command -v setfattr >/dev/null; then
    while IFS= read -r name; do
      [[ $name == user.* ]] && setfattr --remove="$name" .
    done < <(getfattr --absolute-names --match='^user\\.' . 2>/dev/null)
  fi
  tar ${quoted(EXTRACT_ALL_OPTIONS)} <"$1"
}

move_all() { # FROM TO: all entries but the stage itself; nothing is replaced
  local entries=() entry index
  for entry in "$1"/*; do [[ $entry == "./$replacing" ]] || entries+=("$entry"); done
  for ((index = 0; index < \${#entries[@]}; index += ${String(ENTRIES_AT_ONCE)})); do
    mv -n -t "$2" -- "\${entries[@]:index:${String(ENTRIES_AT_ONCE)}}" || return 1
  done
  for entry in "$1"/*; do
    [[ $entry == "./$replacing" ]] || { echo "could not move $entry" >&2; return 1; }
  done
}

undo() {
  if [[ -d $replacing/old ]]; then
    move_all . "$replacing/new" && mv -T -- "$replacing/old" "$replacing/leaving" || return 1
  fi
  if [[ -d $replacing/leaving ]]; then move_all "$replacing/leaving" . || return 1; fi
  apply_root "$replacing/root-before.tar" && mv -T -- "$replacing" "$restoring"
}
`;

/** Tells which stages there are, how much room the content takes and how much is free; then that it told all. */
export const LOOK_SCRIPT = `${preamble('')}${BEGIN}
for entry in ./.re*-*; do
  [[ $entry =~ ^\\./\\.(restoring|replacing|removing)-${TOKEN}$ && -d $entry ]] && printf 'stage %s\\n' "\${entry#./}"
done
if command -v du >/dev/null && taken=$(du --summarize --block-size=1 . 2>/dev/null); then printf 'taken %s\\n' "\${taken%%[^0-9]*}"; fi
if command -v stat >/dev/null && free=$(stat --file-system --format='%a %S' . 2>/dev/null); then printf 'free %s\\n' "$free"; fi
printf 'end\\n'
`;

/** Extracts the file $ARTIFACT through the decompressor "$@" into a stage in the volume. */
// A directory in one with set-group-id has that too, and tar would leave it on what it makes in there.
export const STAGE_SCRIPT = `${preamble('mkdir mv "$1"')}${BEGIN}
for entry in ./.re*-*; do
  [[ $entry =~ ^\\./\\.(restoring|replacing)-${TOKEN}$ ]] && { echo "$entry is there" >&2; exit ${String(EXIT.taken)}; }
done
${ROOT_ONLY} . >/dev/shm/root-$TOKEN.tar && mkdir -m 00700 "$restoring" "$restoring/new" || exit 1
cat /dev/shm/root-$TOKEN.tar >"$restoring/root.part" && mv "$restoring/root.part" "$restoring/root-before.tar" || exit 1
${extractInto('"$restoring/new"')}
${ROOT_ONLY} --directory="$restoring/new" . >"$restoring/root-after.tar" || exit 1
`;

const COMPARED = CREATE_OPTIONS.filter((option) => option !== '--sparse');

/**
 * Copies the volume without its stage into the one that keeps it, then reads both and compares all that an archive knows of them. Once a
 * second it tells on stdout how many bytes were read.
 */
export const KEEP_SCRIPT = `${preamble('b2sum sync')}${BEGIN}
[[ -d $restoring/new ]] || exit ${String(EXIT.taken)}
ended_bytes=0 last=0
tell_read() {
  local process bytes sum=0
  for process in /proc/[0-9]*; do read -r _ bytes <"$process/io" && sum=$((sum + bytes)); done 2>/dev/null
  ((sum < last)) && ended_bytes=$((ended_bytes + last)) # programs that ended took their counts along
  last=$sum
  printf '%s\\n' $((ended_bytes + sum))
}
exec {never}<> <(:)
while :; do read -r -t 1 -u "$never"; tell_read; done &
teller=$!

but_stage=(--anchored --no-wildcards --exclude="./$restoring")
tar ${quoted(CREATE_OPTIONS)} "\${but_stage[@]}" . | tar ${quoted(EXTRACT_ALL_OPTIONS)} --directory="$BEFORE"
ended=("\${PIPESTATUS[@]}")
[[ \${ended[0]} -eq 0 && \${ended[1]} -eq 0 ]] || {
  printf 'copying it ended with the codes %s and %s\\n' "\${ended[@]}" >&2
  exit 1
}
sync --file-system "$BEFORE" || exit 1

set -o pipefail
digest() { # DIRECTORY
  tar ${quoted(COMPARED)} --sort=name "\${but_stage[@]}" --directory="$1" . 2>/dev/null | b2sum
}
one=$(digest .) && other=$(digest "$BEFORE") || { echo 'reading the copy back failed' >&2; exit 1; }
[[ $one == "$other" ]] || { echo 'the copy is not equal to it' >&2; exit 1; }
cd "$BEFORE" && apply_root "$VOLUME/$restoring/root-before.tar" || exit 1
kill "$teller"
exit 0
`;

/** Puts the new content into the place of the old one; on a failure all is as before. */
export const SWAP_SCRIPT = `${preamble('mkdir mv rm sync')}${BEGIN}
sync --file-system . || exit ${String(EXIT.undone)}
mv -T -- "$restoring" "$replacing" 2>/dev/null || exit ${String(EXIT.taken)}
replace() {
  mkdir -m 00700 "$replacing/leaving" &&
    move_all . "$replacing/leaving" && mv -T -- "$replacing/leaving" "$replacing/old" &&
    move_all "$replacing/new" . && apply_root "$replacing/root-after.tar" && sync --file-system .
}
replace || { undo && exit ${String(EXIT.undone)}; exit 1; }
cat "$replacing/root-after.tar" >/dev/shm/root-$TOKEN.tar
mv -T -- "$replacing" "$removing" || exit 1
rm -rf -- "$removing"
apply_root /dev/shm/root-$TOKEN.tar
exit 0
`;

/** Brings back the old content where a replacement was ended in the middle. */
export const UNDO_SCRIPT = `${preamble('mv')}${BEGIN}
[[ -d $replacing ]] || exit ${String(EXIT.taken)}
undo || exit 1
sync --file-system .
`;

/** Removes a stage beside the old content; the top's own time is then as it was. */
export const CLEAR_SCRIPT = `${preamble('mv rm')}${BEGIN}
for entry in ./.removing-*; do [[ $entry =~ ^\\./\\.removing-${TOKEN}$ ]] && rm -rf -- "$entry"; done
[[ -d $restoring ]] || exit 0
[[ -f $restoring/root-before.tar ]] && cat "$restoring/root-before.tar" >/dev/shm/root-$TOKEN.tar
mv -T -- "$restoring" "$removing" || exit ${String(EXIT.taken)}
rm -rf -- "$removing" && apply_root /dev/shm/root-$TOKEN.tar
`;
