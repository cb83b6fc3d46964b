/**
 * Names under which a resident's words, person, whereabouts or a secret travel through this code.
 * A new field of that sort belongs here; `tests/server/redact.test.ts` holds a line for each.
 */
export const REDACTED_KEYS: ReadonlySet<string> = new Set([
  'text', 'utterance', 'words', 'body', 'content', 'description', 'label', 'value', 'note', 'comment', 'answer', 'memory', 'draft',
  'name', 'authorname', 'phone', 'tel', 'mobile', 'contact', 'idcard', 'email', 'login',
  'address', 'publictext', 'addressprivate', 'location', 'latitude', 'longitude', 'room', 'remoteaddress', 'ip',
  'token', 'tokenkey', 'secret', 'password', 'passwordhash', 'cookie', 'set-cookie', 'authorization', 'headers', 'key', 'session', 'link',
]);

const CENSORED = '[redacted]';
const MAX_DEPTH = 6;
/** Mobile numbers, landlines with area code, identity cards: as they may stand inside an error's message. */
const PERSONAL_NUMBER = /(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)/g;

export const maskNumbers = (text: string): string => text.replace(PERSONAL_NUMBER, '[number]');

/** A copy that is safe to log. Errors keep type, code, message, stack and cause; what a driver hangs on them (row values) is dropped. */
export function censor(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskNumbers(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return CENSORED;
  if (value instanceof Error) return censorError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => censor(item, depth + 1));
  if (isHttpObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, REDACTED_KEYS.has(key.toLowerCase()) ? CENSORED : censor(inner, depth + 1)]));
}

function censorError(error: Error, depth: number): object {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: maskNumbers(error.message),
    ...(error.stack ? { stack: maskNumbers(error.stack) } : {}),
    ...(error.cause === undefined ? {} : { cause: censor(error.cause, depth + 1) }),
  };
}

/** Fastify's request and reply: their serializers pick two fields each, walking them would read every header. */
const isHttpObject = (value: object): boolean => 'raw' in value && ('headers' in value || 'statusCode' in value);
