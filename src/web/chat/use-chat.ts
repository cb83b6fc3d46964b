import { computed, reactive, ref, shallowRef } from 'vue';
import { ChatClient, type LineState, type MessageFrame, type MessageLine, type Mode, type Pending, type ServerFrame } from '../shared/chat-client.ts';
import { browserPendingStore, safeStorage } from './pending-storage.ts';
import { strings } from './strings.zh.ts';
import { uploadPicture, UploadError } from './upload-picture.ts';

/** A picture on its way; in memory only, for files don't fit into localStorage. */
export interface Upload {
  readonly id: string;
  readonly file: File;
  readonly preview: string;
  readonly at: number;
  progress: number;
  problem: string | null;
  retryable: boolean;
}

const FIRST_LINES = 60;
const TYPING_SHOWN_MS = 12_000;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type Draft = WithoutId<MessageFrame>;

/** The conversation as the page shows it. One per page. */
export function useChat() {
  const lines = shallowRef<readonly MessageLine[]>([]);
  const pending = shallowRef<readonly Pending[]>([]);
  const uploads = reactive<Upload[]>([]);
  const line = ref<LineState>('connecting');
  const mode = ref<Mode>('bot');
  const typing = ref<'bot' | 'operator' | null>(null);
  const greeted = ref(false);
  const hasOlder = ref(false);
  const loadingOlder = ref(false);
  const erased = ref(false);
  /** Something the resident should know that belongs to no message. */
  const notice = ref<string | null>(null);
  const storage = browserPendingStore(safeStorage());
  let resident: string | null = null;
  let typingTimer: ReturnType<typeof setTimeout> | undefined;

  const client = new ChatClient(
    { openLine, renewIdentity, pending: storage, now: Date.now, random: Math.random, last: FIRST_LINES },
    { frame: onFrame, line: (state) => { line.value = state; if (state !== 'online') typing.value = null; }, pending: (list) => { pending.value = list; } },
  );

  function onFrame(frame: ServerFrame): void {
    switch (frame.t) {
      case 'welcome': return onWelcome(frame);
      case 'message': return onLine(frame);
      case 'mode': mode.value = frame.mode; return;
      case 'typing': return showTyping(frame.from);
      case 'error':
        if (frame.id === undefined && !erased.value) notice.value = frame.text;
        return;
      case 'older':
        loadingOlder.value = false;
        hasOlder.value = frame.more;
        lines.value = [...frame.lines, ...lines.value];
        return;
      default:
    }
  }

  function onWelcome(frame: Extract<ServerFrame, { t: 'welcome' }>): void {
    const first = lines.value[0];
    const last = lines.value.at(-1);
    if (resident !== frame.resident || !first || (last && last.seq > frame.after)) {
      lines.value = [];
      hasOlder.value = frame.after > 0;
    }
    resident = frame.resident;
    mode.value = frame.mode;
    greeted.value = true;
    loadingOlder.value = false;
  }

  function onLine(frame: MessageLine): void {
    if (frame.from !== 'resident') typing.value = null;
    lines.value = [...lines.value, frame];
  }

  function showTyping(from: 'bot' | 'operator'): void {
    typing.value = from;
    clearTimeout(typingTimer);
    typingTimer = setTimeout(() => { typing.value = null; }, TYPING_SHOWN_MS);
  }

  function say(draft: Draft): void {
    erased.value = false;
    notice.value = null;
    client.say({ ...draft, id: newId() } as MessageFrame);
  }

  function sendPicture(file: File): void {
    uploads.push({ id: newId(), file, preview: URL.createObjectURL(file), at: Date.now(), progress: 0, problem: null, retryable: true });
    const upload = uploads.at(-1);
    if (upload) void runUpload(upload);
  }

  async function runUpload(upload: Upload): Promise<void> {
    upload.problem = null;
    upload.progress = 0;
    try {
      const mediaId = await uploadPicture(upload.file, (part) => { upload.progress = part; });
      client.say({ t: 'image', id: upload.id, mediaId });
      dropUpload(upload.id);
    } catch (error) {
      upload.problem = error instanceof UploadError ? error.message : strings.uploadFailed;
      upload.retryable = !(error instanceof UploadError) || error.retryable;
    }
  }

  function dropUpload(id: string): void {
    const index = uploads.findIndex((upload) => upload.id === id);
    if (index >= 0) for (const upload of uploads.splice(index, 1)) URL.revokeObjectURL(upload.preview);
  }

  function loadOlder(): void {
    const first = lines.value[0];
    if (!first || !hasOlder.value || loadingOlder.value || line.value !== 'online') return;
    loadingOlder.value = true;
    client.signal({ t: 'older', before: first.seq });
  }

  /** Destroys the resident's key on the server; this page then begins anew. */
  async function eraseMe(): Promise<boolean> {
    erased.value = true; // before the answer: the socket hears of it first
    const answer = await fetch('/chat/me', { method: 'DELETE' }).catch(() => null);
    if (!answer?.ok) {
      erased.value = false;
      return false;
    }
    for (const each of pending.value) client.forget(each.frame.id);
    for (const upload of [...uploads]) dropUpload(upload.id);
    storage.clear();
    lines.value = [];
    notice.value = null;
    return true;
  }

  const isEmpty = computed(() => greeted.value && lines.value.length === 0 && pending.value.length === 0 && uploads.length === 0);

  return {
    lines, pending, uploads, line, mode, typing, greeted, hasOlder, loadingOlder, erased, notice, isEmpty,
    start: () => { followNetwork(client); client.start(); },
    say, sendPicture, runUpload, dropUpload, loadOlder, eraseMe,
    retry: (id: string) => client.retry(id),
    forget: (id: string) => client.forget(id),
    /** Tells an operator that the resident is writing. */
    tellTyping: () => client.signal({ t: 'typing' }),
  };
}
export type Chat = ReturnType<typeof useChat>;

function openLine(events: { opened(): void; received(text: string): void; closed(code: number): void }) {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat/ws`);
  socket.onopen = () => events.opened();
  socket.onmessage = (event: MessageEvent<string>) => events.received(event.data);
  socket.onclose = (event) => events.closed(event.code);
  return { send: (text: string) => socket.send(text), close: () => socket.close() };
}

async function renewIdentity(): Promise<void> {
  const answer = await fetch('/chat/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"client":"web"}' });
  if (!answer.ok) throw new Error(`session: ${answer.status}`);
}

function followNetwork(client: ChatClient): void {
  window.addEventListener('online', () => client.hurry());
  window.addEventListener('offline', () => client.lost());
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') client.hurry(); });
}

/** 128 random bits; `randomUUID` is missing on plain http. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
