import { randomBytes } from 'node:crypto';
import { AppError } from '../domain/errors.ts';
import type { Db } from './database.ts';
import { fromJson, toJson } from './codec.ts';
import { openWith, sealWith, type Keyring } from './keyring.ts';

const KEEP_MS = 10_000;
const KEEP_KEYS = 5_000;

/**
 * Seals what only the resident's key may open. Keys are kept in memory for a few seconds; a key destroyed by another
 * process is thus forgotten here soon after, and by us at once.
 */
export class Sealer {
  readonly #keyring: Keyring;
  readonly #kept = new Map<string, { key: Buffer; until: number }>();
  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  async newKey(db: Db, residentId: string): Promise<void> {
    const { wrapped, masterId } = this.#keyring.wrap(residentId, randomBytes(32));
    await db.insertInto('resident_keys').values({ resident_id: residentId, wrapped, master_id: masterId }).execute();
  }

  async destroyKey(db: Db, residentId: string): Promise<void> {
    await db.deleteFrom('resident_keys').where('resident_id', '=', residentId).execute();
    this.#kept.delete(residentId);
  }

  async #key(db: Db, residentId: string): Promise<Buffer | null> {
    const kept = this.#kept.get(residentId);
    const now = Date.now();
    if (kept && kept.until > now) return kept.key;
    const row = await db.selectFrom('resident_keys').selectAll().where('resident_id', '=', residentId).executeTakeFirst();
    if (!row) {
      this.#kept.delete(residentId);
      return null;
    }
    const key = this.#keyring.unwrap(residentId, row.wrapped, row.master_id);
    if (this.#kept.size >= KEEP_KEYS) this.#kept.clear();
    this.#kept.set(residentId, { key, until: now + KEEP_MS });
    return key;
  }

  /** @throws AppError `key.destroyed` */
  async sealBytes(db: Db, residentId: string, plain: Uint8Array): Promise<Buffer> {
    const key = await this.#key(db, residentId);
    if (key === null) throw new AppError('key.destroyed', 'this resident was erased; nothing more can be kept for them');
    return sealWith(key, plain, residentId);
  }
  /** null: the key is destroyed. */
  async openBytes(db: Db, residentId: string, sealed: Uint8Array): Promise<Buffer | null> {
    const key = await this.#key(db, residentId);
    return key === null ? null : openWith(key, sealed, residentId);
  }
  async seal(db: Db, residentId: string, value: unknown): Promise<string> {
    return (await this.sealBytes(db, residentId, Buffer.from(toJson(value)))).toString('base64');
  }
  async open<T>(db: Db, residentId: string, sealed: string | null, what: string): Promise<T | null> {
    if (sealed === null) return null;
    const bytes = await this.openBytes(db, residentId, Buffer.from(sealed, 'base64'));
    return bytes === null ? null : fromJson<T>(bytes.toString('utf8'), what);
  }
}
