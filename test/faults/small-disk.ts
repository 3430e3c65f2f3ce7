import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** A file system of its own in memory, for tests of what happens when it is full. Needs leave to mount (root). */
export class SmallDisk {
  readonly path: string;
  /** Whether a file system may be mounted here; says so on the terminal. */
  readonly available: boolean;

  /** @param size as `mount` takes it, such as `1m`. */
  constructor(
    name: string,
    private readonly size: string,
  ) {
    this.path = join(tmpdir(), `${name}-${process.pid}`);
    this.available = this.mount();
    this.unmount();
    process.stderr.write(
      this.available ? `${name}: a tmpfs of ${size}\n` : `${name}: skipped where a file system cannot be mounted\n`,
    );
  }

  mount(): boolean {
    return run('mkdir', this.path) && run('mount', '-t', 'tmpfs', '-o', `size=${this.size}`, 'tmpfs', this.path);
  }

  unmount(): void {
    run('umount', '-l', this.path);
    run('rmdir', this.path);
  }

  /** Has the kernel refuse every write, or take them again. It does neither while a file is open for writing. */
  remount(how: 'ro' | 'rw'): void {
    if (!run('mount', '-o', `remount,${how}`, this.path)) throw new Error(`the disk cannot be mounted ${how}`);
  }

  /** Leaves no byte of room. */
  fill(): void {
    const fd = openSync(join(this.path, 'filler'), 'w');
    try {
      for (const block of [65_536, 4_096, 1])
        try {
          for (;;) writeSync(fd, Buffer.alloc(block));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
    } finally {
      closeSync(fd);
    }
  }

  /** Gives the room back that {@link fill} took. */
  free(): void {
    rmSync(join(this.path, 'filler'), { force: true });
  }
}
