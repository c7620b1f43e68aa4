import { CREATE_OPTIONS, EXTRACT_ALL_OPTIONS } from '../tar/options.js';

/** Where a helper container has the volume; every other path is the same as for the worker. */
export const VOLUME_MOUNT_POINT = '/backup-orchestrator/volume';

/** The options as bash takes them literally. */
export function quoted(options: readonly string[]): string {
  return options.map((option) => `'${option}'`).join(' ');
}

/** What each script begins with: English messages, and no tar but GNU's, which alone tells what it lost. `programs` is for bash. */
export function preamble(programs: string): string {
  return `
set -u
export LC_ALL=C
for program in tar ${programs}; do
  command -v "$program" >/dev/null || { echo "the helper image has no $program" >&2; exit 127; }
done
tar_version=$(tar --version)
[[ $tar_version == *'GNU tar'* ]] || { echo 'the tar of the helper image is not GNU tar' >&2; exit 127; }
`;
}

/**
 * Writes the volume to the file $ARTIFACT through the compressor "$@", and what both say to the file $MESSAGES: a
 * container's own stderr can lose its end. $PRIORITY: `nice -n 10 ionice -c 3` and the like, or nothing; $PRIORITY_PROGRAMS: those of them that are programs. The exit code is 0 where both ended well enough; the last line tells how each did.
 */
export const CAPTURE_SCRIPT = `${preamble('"$1" $PRIORITY_PROGRAMS')}
exec 2>>"$MESSAGES"
read -r compressor_version < <("$1" --version 2>&1)
printf 'backup-helper version tar %s\\n' "\${tar_version%%$'\\n'*}" >&2
printf 'backup-helper version %s %s\\n' "$1" "$compressor_version" >&2

cd ${VOLUME_MOUNT_POINT} || exit 2
shopt -s nullglob
for file in PG_VERSION */PG_VERSION */*/PG_VERSION; do
  directory=./\${file%PG_VERSION}
  [[ -e $directory/postmaster.pid ]] && printf 'backup-helper live-database %q\\n' "$directory" >&2
done

$PRIORITY tar ${quoted(CREATE_OPTIONS)} . | $PRIORITY "$@" >"$ARTIFACT"
ended=("\${PIPESTATUS[@]}")
printf 'backup-helper ended %s %s\\n' "\${ended[@]}" >&2
[[ \${ended[0]} -le 1 && \${ended[1]} -eq 0 ]]
`;

/**
 * For bash: fills the directory from the file $ARTIFACT through the decompressor "$@", else exits with 1; once a second it tells on stdout
 * how many bytes of the file were read: the offset of the descriptor that the decompressor shares with this shell.
 */
export function extractInto(directory: string): string {
  return `
exec 3<"$ARTIFACT" || exit 2
tell_position() {
  read -r _ position </proc/$$/fdinfo/3 && printf '%s\\n' "$position"
}
exec {never}<> <(:)
while :; do read -r -t 1 -u "$never"; tell_position; done &
teller=$!

"$@" <&3 | tar ${quoted(EXTRACT_ALL_OPTIONS)} --directory=${directory}
ended=("\${PIPESTATUS[@]}")
kill "$teller"
tell_position
[[ \${ended[0]} -eq 0 && \${ended[1]} -eq 0 ]] || {
  printf 'decompressor ended with code %s, tar with code %s\\n' "\${ended[@]}" >&2
  exit 1
}
`;
}

/** Fills the volume, see `extractInto`. */
export const RESTORE_SCRIPT = `${preamble('"$1"')}${extractInto(VOLUME_MOUNT_POINT)}exit 0
`;
