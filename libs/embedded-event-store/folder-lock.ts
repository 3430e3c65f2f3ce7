import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Another process (or another server in this one) uses the folder. */
export class FolderInUse extends Error {}

/**
 * Takes a data folder for this process alone: an exclusive lock on `lock.db`, which the kernel gives back however the
 * process ends. Nothing else may open that file: closing any other handle on it would drop the lock.
 *
 * @returns gives the folder back
 * @throws FolderInUse
 */
export function lockFolder(dir: string): () => void {
  const database = new Database(join(dir, 'lock.db'), { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) {
      throw new FolderInUse(`the data folder ${dir} is in use by another event store`);
    }
    throw error;
  }
  return () => database.close();
}
