import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseObject, textOf } from '../json.ts';
import type { Person } from '../person.ts';
import type { WechatPlatform } from '../platform.ts';
import { jsonAnswer, type LOST, type WireAnswer, type WireRequest } from '../wire.ts';
import { GESTURES, sendFile } from './gestures.ts';
import { viewOf } from './view.ts';

const FILES: Readonly<Record<string, readonly [file: string, contentType: string]>> = {
  '/': ['phone.html', 'text/html; charset=utf-8'], '/phone.css': ['phone.css', 'text/css; charset=utf-8'], '/phone.js': ['phone.js', 'text/javascript; charset=utf-8'],
};
const SECURITY = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff', 'cache-control': 'no-store',
};
/** A page of another origin cannot send it unasked. */
const MARK = 'x-wechat-sim';

export interface DeskOptions {
  readonly platform: WechatPlatform;
  /** Shown under the settings: what to write into .env. */
  readonly settings: string;
}

/** The page and what it asks for; everything else is the platform's API. */
export function handleDesk({ platform, settings }: DeskOptions): (request: WireRequest) => Promise<WireAnswer | typeof LOST> {
  return async (request) => {
    const url = new URL(request.url, 'http://desk.invalid');
    const file = FILES[url.pathname];
    if (request.method === 'GET' && file !== undefined) return pageFile(file);
    if (!url.pathname.startsWith('/sim/')) return platform.handle(request);
    try {
      return await answer(platform, settings, request, url);
    } catch (error) {
      return jsonAnswer({ error: error instanceof Error ? error.message : String(error) }, 400);
    }
  };
}

function pageFile([name, contentType]: readonly [string, string]): WireAnswer {
  return { status: 200, headers: { ...SECURITY, 'content-type': contentType }, body: readFileSync(join(import.meta.dirname, name)) };
}

async function answer(platform: WechatPlatform, settings: string, request: WireRequest, url: URL): Promise<WireAnswer> {
  const person = personOf(platform, url.searchParams.get('person'));
  if (url.pathname === '/sim/state') return jsonAnswer(viewOf(platform, person));
  if (url.pathname === '/sim/settings') return jsonAnswer({ settings });
  if (request.method !== 'POST' || request.headers[MARK] === undefined) return jsonAnswer({ error: 'only from the page' }, 403);
  switch (url.pathname) {
    case '/sim/do':
      return await gesture(platform, person, request);
    case '/sim/person':
      return addPerson(platform, request);
    case '/sim/file':
      return fileMessage(platform, person, request, url.searchParams);
    case '/sim/verify':
      return jsonAnswer({ official: await platform.official.verify(), kf: await platform.kf.verify() });
    default:
      return jsonAnswer({ error: 'not found' }, 404);
  }
}

function personOf(platform: WechatPlatform, id: string | null): Person {
  const person = platform.people.find((each) => each.id === id) ?? platform.people[0];
  if (person === undefined) throw new Error('nobody has a phone yet');
  return person;
}

async function gesture(platform: WechatPlatform, person: Person, request: WireRequest): Promise<WireAnswer> {
  const given = parseObject(request.body) ?? {};
  const act = GESTURES[textOf(given, 'act')];
  if (act === undefined) throw new Error(`no gesture ${textOf(given, 'act')}`);
  const outcome = act(platform, person, given);
  if (outcome instanceof Promise) await outcome;
  return jsonAnswer({ ok: true });
}

function addPerson(platform: WechatPlatform, request: WireRequest): WireAnswer {
  const name = textOf(parseObject(request.body) ?? {}, 'name').trim();
  if (name === '') throw new Error('a person needs a name');
  const { id } = platform.person(`p${platform.people.length + 1}`, name);
  return jsonAnswer({ id });
}

function fileMessage(platform: WechatPlatform, person: Person, request: WireRequest, query: URLSearchParams): WireAnswer {
  sendFile(platform, person, {
    channel: query.get('channel') ?? '', kind: query.get('kind') ?? '', bytes: request.body, contentType: request.headers['content-type'] ?? 'application/octet-stream', recognition: query.get('recognition') ?? '',
  });
  return jsonAnswer({ ok: true });
}
