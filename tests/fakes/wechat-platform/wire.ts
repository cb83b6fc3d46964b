/** One HTTP request, in either direction. Names of headers are lower case. */
export interface WireRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query for calls to the platform, a whole URL for callbacks. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Carries a callback to the address under test; rejects when nobody answers there. */
export type Carry = (request: WireRequest, signal: AbortSignal) => Promise<WireAnswer>;

/** Where a call goes nowhere and its caller learns nothing. */
export const LOST = 'lost';

export function jsonAnswer(value: unknown, status = 200): WireAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: Buffer.from(JSON.stringify(value)) };
}

/** The platform's refusals are 200-answers with a code. */
export interface Refusal {
  readonly errcode: number;
  readonly errmsg: string;
}

export const isRefusal = (value: object): value is Refusal => 'errcode' in value && value.errcode !== 0;
