import { expect, test } from 'vitest';
import {
  mountFor,
  mountOption,
  mountsFor,
  type ContainerMount,
  type OwnContainer,
} from '../../src/sources/docker/helper-mount.js';
import { ownContainerId } from '../../src/sources/docker/own-container.js';

/** Recorded from `docker inspect --format '{{json .Mounts}}'`, engine 20.10. */
const RECORDED = `[
  {"Type":"volume","Name":"stack_backups","Source":"/var/lib/docker/volumes/stack_backups/_data","Destination":"/backups","Driver":"local","Mode":"z","RW":true,"Propagation":""},
  {"Type":"bind","Source":"/srv/disk","Destination":"/backups/disk","Mode":"","RW":true,"Propagation":"rprivate"},
  {"Type":"tmpfs","Source":"","Destination":"/scratch","Mode":"","RW":true,"Propagation":""},
  {"Type":"volume","Name":"5bc500b6ba7e","Source":"/var/lib/docker/volumes/5bc500b6ba7e/_data","Destination":"/backupsandmore","Driver":"local","Mode":"","RW":true,"Propagation":""},
  {"Type":"bind","Source":"/var/run/docker.sock","Destination":"/var/run/docker.sock","Mode":"","RW":true,"Propagation":"rprivate"}
]`;
const OWN: OwnContainer = { id: 'f00', image: 'sha256:0', mounts: JSON.parse(RECORDED) as ContainerMount[] };

test('on a host the file alone is mounted', () => {
  const path = '/srv/backups/20261124_030000/a.tar.gz.part';
  expect(mountFor(path)).toEqual({ type: 'bind', source: path, target: path });
});

test.each([
  ['/backups/20261124_030000/a.tar.gz.part', { type: 'volume', source: 'stack_backups', target: '/backups' }],
  ['/backups/disk/a.tar.gz.part', { type: 'bind', source: '/srv/disk', target: '/backups/disk' }],
  ['/backups/disks/a.tar.gz.part', { type: 'volume', source: 'stack_backups', target: '/backups' }],
  ['/backupsandmore/a.tar.gz.part', { type: 'volume', source: '5bc500b6ba7e', target: '/backupsandmore' }],
])('in a container the mount that holds %s is mounted', (path, mount) => {
  expect(mountFor(path, OWN)).toEqual(mount);
});

test.each(['/tmp/a.tar.gz.part', '/scratch/a.tar.gz.part', '/backup/a.tar.gz.part'])(
  'nothing can hand %s to a helper',
  (path) => {
    expect(() => mountFor(path, OWN)).toThrow(`cannot share ${path} with a helper container`);
  },
);

test('two files on one mount share it', () => {
  expect(mountsFor(['/backups/a', '/backups/b', '/backups/disk/c'], OWN)).toHaveLength(2);
  expect(mountsFor(['/a', '/b'])).toHaveLength(2);
});

test('a mount is written as a line of CSV', () => {
  expect(mountOption({ type: 'bind', source: '/a b', target: '/c' })).toBe('type=bind,source=/a b,target=/c');
  expect(mountOption({ type: 'bind', source: '/a,"b"', target: '/c', readonly: true })).toBe(
    'type=bind,"source=/a,""b""",target=/c,readonly',
  );
  expect(mountOption({ type: 'volume', source: 'v', target: '/c', label: 'x=y,z' })).toBe(
    'type=volume,source=v,target=/c,volume-nocopy,"volume-label=x=y,z"',
  );
});

const ID = 'ff1c997a2c0304bc03d74178a9b700a7e508acac2ad6e53576ddcfdbc8a6c6b9';

test('a container finds its id in its mounts', () => {
  const mountinfo = `75 74 0:42 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
91 74 254:0 /var/lib/docker/containers/${ID}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda rw
92 74 254:0 /docker/containers/${ID}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw
`;
  expect(ownContainerId(mountinfo)).toBe(ID);
});

test('a host that runs containers is none', () => {
  const mountinfo = `24 1 254:0 / / rw,relatime - ext4 /dev/vda rw
74 49 0:39 / /var/lib/docker/overlay2/7a72/merged rw,relatime - overlay overlay rw
90 24 254:0 /var/lib/docker/containers/${ID}/hostname /mnt/of-a-container/etc/hostname rw - ext4 /dev/vda rw
`;
  expect(ownContainerId(mountinfo)).toBeUndefined();
});
