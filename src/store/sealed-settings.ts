import type { Store } from '../domain/ports.ts';
import { openWith, sealWith, type Keyring } from './keyring.ts';

/** A setting that is a secret: sealed under a key of the keyring, bound to its name. */
export function sealedSetting(store: Pick<Store, 'setting' | 'putSetting'>, keyring: Keyring, name: string): { read(): Promise<string | null>; write(value: string): Promise<void> } {
  const key = keyring.derive('settings');
  return {
    async read() {
      const sealed = await store.setting(name);
      return sealed === null ? null : openWith(key, Buffer.from(sealed, 'base64'), name).toString('utf8');
    },
    write: (value) => store.putSetting(name, sealWith(key, Buffer.from(value), name).toString('base64')),
  };
}
