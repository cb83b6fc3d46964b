import { randomBytes } from 'node:crypto';
import type { Role } from '../domain/desk.ts';
import type { PageOf, UserView } from '../desk/views.ts';
import { fetchPatiently } from './fetch-patiently.ts';

/** One person at the desk, over the desk's own API. */
export class DemoDesk {
  readonly name: string;
  readonly #url: string;
  readonly #credentials: Record<string, string>;

  private constructor(name: string, url: string, credentials: Record<string, string>) {
    this.name = name;
    this.#url = url;
    this.#credentials = credentials;
  }

  /** By the token in the data folder: works on the machine that runs Jiban only. */
  static administrator(url: string, token: string): DemoDesk {
    return new DemoDesk('管理员', url, { authorization: `Bearer ${token}` });
  }

  static async signIn(url: string, account: { name: string; login: string; password: string }): Promise<DemoDesk> {
    const response = await fetchPatiently(`${url}/desk/api/sign-in`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-jiban': '1' }, body: JSON.stringify({ login: account.login, password: account.password }),
    });
    if (!response.ok) throw new Error(`${account.login} 登录失败：${await response.text()}`);
    const cookie = response.headers.getSetCookie().map((each) => each.split(';')[0]).join('; ');
    return new DemoDesk(account.name, url, { cookie });
  }

  async get<T>(path: string): Promise<T> {
    return this.#ask<T>('GET', path);
  }
  async post<T = unknown>(path: string, body?: object): Promise<T> {
    return this.#ask<T>('POST', path, body);
  }

  /** An account of the demo's own, made or opened again with a new password, and signed in. */
  async employ(account: { login: string; name: string; roles: readonly Role[]; unitId: string | null }): Promise<{ desk: DemoDesk; userId: string }> {
    const password = randomBytes(18).toString('base64url');
    const known = await this.#find(account.login);
    const userId = known?.id ?? (await this.post<UserView>('/users', { ...account, password })).id;
    if (known) await this.#ask('PATCH', `/users/${known.id}`, { disabled: false, password });
    return { desk: await DemoDesk.signIn(this.#url, { ...account, password }), userId };
  }

  async dismiss(userId: string): Promise<void> {
    await this.#ask('PATCH', `/users/${userId}`, { disabled: true });
  }

  async #find(login: string): Promise<UserView | null> {
    let cursor: string | null = null;
    do {
      const page: PageOf<UserView> = await this.get(`/users?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      const found = page.items.find((user) => user.login === login);
      if (found) return found;
      cursor = page.next;
    } while (cursor !== null);
    return null;
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetchPatiently(`${this.#url}/desk/api${path}`, {
      method, headers: { 'x-jiban': '1', ...this.#credentials, ...(body && { 'content-type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${this.name} ${method} ${path} → ${response.status} ${await response.text()}`);
    return await response.json() as T;
  }
}
