import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { checkDirectoryText, DIRECTORY_MAX_CHARS, listDirectories, readDirectoryText, releaseDirectory, replayDraft, saveDraft } from '../../desk/edit-directory.ts';
import type { DeskServerDeps } from './desk-routes.ts';
import { define } from './route.ts';

const Text = z.object({ text: z.string().min(1).max(DIRECTORY_MAX_CHARS) });
const version = z.object({ version: z.string().min(1).max(60) });
const BODY_LIMIT = 4 * DIRECTORY_MAX_CHARS;

/** 派单目录 at the desk: a draft is checked, replayed on past tickets, and only then put in force. */
export function directoryRoutes(app: FastifyInstance, deps: DeskServerDeps): void {
  const action = 'directory.edit';
  define(app, deps, { method: 'GET', url: '/directories', summary: 'Versions of the dispatch directory', action, handle: () => listDirectories(deps) });
  define(app, deps, { method: 'GET', url: '/directories/:version', summary: 'Text of one version', action, params: version, handle: ({ params }) => readDirectoryText(deps, params.version) });
  define(app, deps, { method: 'POST', url: '/directories/check', summary: 'Every mistake of a text', action, body: Text, bodyLimit: BODY_LIMIT, handle: async ({ body }) => checkDirectoryText(deps, body.text) });
  define(app, deps, { method: 'POST', url: '/directories/replay', summary: 'Which past tickets a text would send elsewhere', action, body: Text, bodyLimit: BODY_LIMIT, handle: ({ body }) => replayDraft(deps, body.text) });
  define(app, deps, { method: 'POST', url: '/directories', summary: 'Keep a draft', action, body: Text, bodyLimit: BODY_LIMIT, handle: ({ user, body }) => saveDraft(deps, user, body.text) });
  define(app, deps, { method: 'POST', url: '/directories/:version/release', summary: 'Put a draft in force from its first day on', action, params: version, handle: ({ user, params }) => releaseDirectory(deps, user, params.version) });
}
