import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import { replaceFile, writeFirst, writeNew } from './durable-file.ts';

const RingSchema = z.object({
  version: z.literal(1),
  active: z.string(),
  /** id → 32 bytes, base64. Old ones stay until every resident key is wrapped anew. */
  masters: z.record(z.string(), z.base64()),
  /** Never rotates: it finds a resident by the channel's own id. 32 bytes, base64. */
  lookup: z.base64(),
  /** Signs web identities; derived keys hang on it, so it outlives a rotation of the masters. */
  signing: z.base64(),
});
type Ring = z.infer<typeof RingSchema>;

const textOf = (ring: Ring): string => `${JSON.stringify(ring, null, 2)}\n`;
const newKey = (): string => randomBytes(32).toString('base64');
const idOf = (key: string): string => createHash('sha256').update('jiban-master:').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 12);

export function sealWith(key: Buffer, plain: Uint8Array, about: string): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(about));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}
export function openWith(key: Buffer, sealed: Uint8Array, about: string): Buffer {
  try {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  } catch (cause) {
    throw new AppError('key.unreadable', `what is sealed for ${about} does not open with its key: damaged, or another key`, { cause });
  }
}

/**
 * The installation's master keys: a file of its own (mode 0600), backed up apart from the database. A resident's key is
 * random, wrapped by the active master; erasing a resident destroys the wrapped key.
 */
export class Keyring {
  #ring: Ring;
  readonly #path: string;
  #seen: string;
  private constructor(ring: Ring, path: string, seen: string) {
    this.#ring = ring;
    this.#path = path;
    this.#seen = seen;
  }

  /** Opens the file, or makes it when there is none yet. @throws AppError `key.unreadable` */
  static openFile(path: string): Keyring {
    if (!existsSync(path)) {
      const key = newKey();
      writeFirst(path, textOf({ version: 1, active: idOf(key), masters: { [idOf(key)]: key }, lookup: newKey(), signing: newKey() }));
    }
    return Keyring.readFile(path);
  }

  /** @throws AppError `key.missing` `key.unreadable` */
  static readFile(path: string): Keyring {
    let text: string;
    let seen: string;
    try {
      seen = stampOf(path);
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      throw new AppError('key.missing', `the key file ${path} cannot be read; restore it from its backup`, { cause });
    }
    try {
      const ring = RingSchema.parse(JSON.parse(text));
      if (ring.masters[ring.active] === undefined) throw new Error('the active key is not in the file');
      return new Keyring(ring, path, seen);
    } catch (cause) {
      throw new AppError('key.unreadable', `the key file ${path} is damaged; restore it from its backup`, { cause });
    }
  }

  /** A new active master beside the old ones, written at once. Wrap the resident keys anew, then `dropOld`. */
  rotated(path: string): Keyring {
    const key = newKey();
    return this.#replace(path, { ...this.#ring, active: idOf(key), masters: { ...this.#ring.masters, [idOf(key)]: key } });
  }
  dropOld(path: string): Keyring {
    const active = this.#ring.masters[this.#ring.active] ?? '';
    return this.#replace(path, { ...this.#ring, masters: { [this.#ring.active]: active } });
  }
  saveCopy(path: string): void {
    writeNew(path, textOf(this.#ring));
  }
  #replace(path: string, ring: Ring): Keyring {
    replaceFile(path, textOf(ring));
    return new Keyring(ring, path, stampOf(path));
  }

  /** Another process may have rotated the masters since: whoever shares the file goes on with what stands there now. */
  #lookAgain(): void {
    let seen: string;
    try {
      seen = stampOf(this.#path);
    } catch {
      return; // the key folder is away for a moment: what we hold still serves
    }
    if (seen === this.#seen) return;
    const now = Keyring.readFile(this.#path);
    if (now.fingerprint !== this.fingerprint) throw new AppError('key.mismatch', `the key file ${this.#path} was replaced by another installation's; put the right one back`);
    this.#ring = now.#ring;
    this.#seen = now.#seen;
  }

  get activeId(): string {
    return this.#ring.active;
  }
  /** Tells two installations apart without showing a key; stands in the database. */
  get fingerprint(): string {
    return createHash('sha256').update('jiban-lookup:').update(Buffer.from(this.#ring.lookup, 'base64')).digest('hex').slice(0, 16);
  }
  lookupHash(channel: string, externalId: string): string {
    return createHmac('sha256', Buffer.from(this.#ring.lookup, 'base64')).update(channel).update('\0').update(externalId).digest('base64url');
  }
  /** A key for one purpose (`web-token`, …), 32 bytes. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', Buffer.from(this.#ring.signing, 'base64'), '', `jiban:${purpose}`, 32));
  }
  wrap(residentId: string, key: Buffer): { wrapped: string; masterId: string } {
    this.#lookAgain();
    return { wrapped: sealWith(this.#master(this.#ring.active), key, residentId).toString('base64'), masterId: this.#ring.active };
  }
  unwrap(residentId: string, wrapped: string, masterId: string): Buffer {
    return openWith(this.#master(masterId), Buffer.from(wrapped, 'base64'), residentId);
  }
  #master(id: string): Buffer {
    if (this.#ring.masters[id] === undefined) this.#lookAgain();
    const key = this.#ring.masters[id];
    if (key === undefined) throw new AppError('key.mismatch', `a resident's key is wrapped by master ${id}, which is not in the key file; restore that key file`);
    return Buffer.from(key, 'base64');
  }
}

/** Changes with every rename over the file. */
function stampOf(path: string): string {
  const { ino, mtimeMs, size } = statSync(path);
  return `${ino}:${mtimeMs}:${size}`;
}
