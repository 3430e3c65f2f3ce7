/** What a vault says no to, or cannot do. Messages name opaque ids only, never a value and never a key. */
export abstract class KeyVaultError extends Error {}

/** The subject's key was destroyed: nothing can ever be sealed for this subject again. */
export class SubjectErased extends KeyVaultError {
  override readonly name = 'SubjectErased';
  constructor(readonly subjectId: string) {
    super(`the keys of subject ${subjectId} have been destroyed`);
  }
}

/** The item's key was destroyed: its id can never name a key again. */
export class KeyDestroyed extends KeyVaultError {
  override readonly name = 'KeyDestroyed';
  constructor(readonly keyId: string) {
    super(`key ${keyId} has been destroyed`);
  }
}

/** The key id is filed under another subject than the caller says. */
export class KeyOfAnotherSubject extends KeyVaultError {
  override readonly name = 'KeyOfAnotherSubject';
  constructor(readonly keyId: string) {
    super(`key ${keyId} belongs to another subject`);
  }
}

/** A value was to be sealed under a key that `ensureKeys` has not made durable. */
export class KeyNotEnsured extends KeyVaultError {
  override readonly name = 'KeyNotEnsured';
  constructor(readonly keyId: string) {
    super(`key ${keyId} has not been made`);
  }
}

/**
 * There is neither a key nor a tombstone: an accident, not an erasure. Whoever sees this looks for the
 * vault that belongs to the log, or for its backup.
 */
export class KeyLost extends KeyVaultError {
  override readonly name = 'KeyLost';
  constructor(readonly keyId: string) {
    super(`key ${keyId} is neither in the vault nor recorded as destroyed`);
  }
}

/** A stored key does not authenticate: the vault file was altered or damaged. */
export class KeyBroken extends KeyVaultError {
  override readonly name = 'KeyBroken';
  constructor(readonly keyId: string) {
    super(`key ${keyId} is damaged in the vault`);
  }
}

/** A sealed value does not authenticate: it was altered, or stands at another place than it was sealed for. */
export class SealBroken extends KeyVaultError {
  override readonly name = 'SealBroken';
  constructor(readonly keyId: string) {
    super(`a value sealed under key ${keyId} does not authenticate where it stands`);
  }
}

/** The master key cannot be used as it is configured. */
export class MasterKeyRefused extends KeyVaultError {
  override readonly name = 'MasterKeyRefused';
}

/** The vault holds keys, and there is no master key to open them. None is made: it would open nothing. */
export class MasterKeyMissing extends KeyVaultError {
  override readonly name = 'MasterKeyMissing';
}

/** The master key is not the one that wraps this vault's keys. */
export class MasterKeyWrong extends KeyVaultError {
  override readonly name = 'MasterKeyWrong';
}
