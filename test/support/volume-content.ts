/** Bash scripts that fill a directory, each run as root in it with `set -eu`. Times are set, so that two fills are alike. */

/** What a service's volume looks like: a database's directory and people's uploads. */
export const LIFELIKE_CONTENT = String.raw`
mkdir -p pgdata/base/16384 pgdata/pg_wal pgdata/pg_tblspc uploads/2026/{10,11} uploads/cache
echo 15 >pgdata/PG_VERSION
for table in {1..40}; do
  for row in {1..200}; do echo "$table;$row;customer $((table * row % 97));invoice $((row * 7919 % 10007))"; done >pgdata/base/16384/$table
done
head -c 2000000 /dev/urandom >uploads/2026/11/photo.jpg
head -c 300000 /dev/zero >uploads/2026/10/empty-form.pdf
for day in {1..30}; do echo "receipt of day $day" >"uploads/2026/11/receipt $day.txt"; done
ln -s ../2026/11/photo.jpg uploads/cache/latest
chown -hR 999:999 pgdata
chmod 0700 pgdata pgdata/base pgdata/base/16384 pgdata/pg_wal
find pgdata -type f -exec chmod 0600 {} +
chown -hR 33:33 uploads
chmod 2775 uploads
find . -exec touch -h -d '2026-11-01 12:00:00.25 UTC' {} +
`;

/** Whatever a file system allows and a careless backup loses. */
export const ODD_CONTENT = String.raw`
mkdir -p empty closed names deep/{a,b}/{c,d} 'sticky and setgid'
chmod 0000 closed
chmod 3777 'sticky and setgid'

cd names
echo leading >./-rf
echo newline >$'new\nline'
echo tab >$'tab\there'
echo quotes >"it's \"quoted\" \$(here) \\ and \`there\`"
echo space >' begins and ends with a space '
echo glob >'*?[a-z]'
echo unicode >'naïve 備份 🗄'
echo decomposed >$'e\u0301'
echo composed >$'\u00e9'
echo bytes >$'latin1 \xe9'
echo long >"$(printf 'x%.0s' {1..255})"
echo dots >...
cd ..

echo 'one content, three names' >deep/first
ln deep/first deep/a/c/second
ln deep/first 'deep/b/d/third name'
ln -s first deep/relative
ln -s /etc/passwd deep/absolute
ln -s nowhere deep/dangling
ln -s loop deep/loop
ln -s "$(printf 'long/%.0s' {1..60})" deep/long-target
mkfifo -m 0622 pipe

: >nothing
truncate -s 32M sparse
printf 'in the middle' | dd of=sparse bs=1 seek=16777216 conv=notrunc status=none
printf 'no newline at the end' >no-newline
head -c 70000 /dev/urandom >noise

echo set-uid >set-uid; chmod 4755 set-uid
echo read-only >read-only; chmod 0444 read-only
echo owned >owned; chown 12345:54321 owned
chown 2000000000:2000000001 nothing
setfattr -n user.comment -v 'kept with the file' noise
setfattr -n user.binary -v 0x00ff0a noise
setfattr -n user.of-a-directory -v yes empty

touch -h -d '1999-12-31 23:59:59 UTC' deep/dangling
touch -d '2038-01-19 03:14:08 UTC' no-newline
touch -d '2026-11-01 12:00:00.123456789 UTC' noise
touch -d '2001-02-03 04:05:06 UTC' empty closed deep/a/c names
`;

/** Follows ODD_CONTENT, for root: `setcap cap_net_raw=ep`, and an ACL that lets the user 1000 write. */
export const ODD_RIGHTS = `
cp noise capable
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 capable
cp noise listed
setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000400ffffffff listed
mkdir inherits
setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff inherits
mknod null c 1 3
mknod loop b 7 0
cp noise group; chown 999:999 group; chmod 2755 group
mkdir of-others; ln -s /outside of-others/absolute; chown 999:999 of-others; chmod 0500 of-others
`;
