import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { InboundContent } from '../../domain/message.ts';
import type { MediaId } from '../../domain/ids.ts';
import { MAX_FRAME_BYTES, MAX_TEXT_LENGTH, PROTOCOL_VERSION, type ClientFrame, type MessageFrame } from './protocol.ts';

const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const Seq = z.number().int().min(0);

const Frame = z.discriminatedUnion('t', [
  z.object({ t: z.literal('hello'), v: z.literal(PROTOCOL_VERSION), seq: Seq, last: z.number().int().min(1).max(500).optional() }),
  z.object({ t: z.literal('say'), id: Id, text: z.string().regex(/\S/u) }),
  z.object({ t: z.literal('tap'), id: Id, chip: z.string().min(1).max(64), label: z.string().max(200) }),
  z.object({ t: z.literal('image'), id: Id, mediaId: z.string().min(1).max(64) }),
  z.object({ t: z.literal('location'), id: Id, latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180), label: z.string().max(200) }),
  z.object({ t: z.literal('edit'), id: Id, target: z.string().min(1).max(64), field: z.enum(['type', 'address', 'description']), value: z.string().regex(/\S/u) }),
  z.object({ t: z.literal('ack'), seq: Seq }),
  z.object({ t: z.literal('older'), before: z.number().int().min(1) }),
  z.object({ t: z.literal('typing') }),
  z.object({ t: z.literal('ping') }),
]);

export type ParsedFrame =
  | { readonly ok: true; readonly frame: ClientFrame }
  /** `id`: the message it would have been, so that the client can mark its copy. */
  | { readonly ok: false; readonly error: AppError; readonly id: string | undefined };

/** Any text a socket may carry, as a frame or as the reason why not. Never throws. */
export function parseFrame(raw: string): ParsedFrame {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return { ok: false, error: new AppError('message.invalid', 'a frame must be one JSON object'), id: undefined };
  }
  const id = idOf(value);
  if (Buffer.byteLength(raw) > MAX_FRAME_BYTES || isTooLong(value)) return { ok: false, error: new AppError('message.too_large', 'frame or text over the limit'), id };
  const parsed = Frame.safeParse(value);
  if (!parsed.success) return { ok: false, error: new AppError('message.invalid', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')), id };
  return { ok: true, frame: parsed.data as ClientFrame };
}

function idOf(value: unknown): string | undefined {
  const id = typeof value === 'object' && value !== null && 'id' in value ? Id.safeParse(value.id) : undefined;
  return id?.success ? id.data : undefined;
}

const isTooLong = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && ['text', 'value'].some((key) => {
    const text: unknown = (value as Record<string, unknown>)[key];
    return typeof text === 'string' && text.length > MAX_TEXT_LENGTH;
  });

export const isMessageFrame = (frame: ClientFrame): frame is MessageFrame => 'id' in frame;

export function toContent(frame: MessageFrame): InboundContent {
  switch (frame.t) {
    case 'say': return { kind: 'text', text: frame.text };
    case 'tap': return { kind: 'tap', chip: frame.chip, label: frame.label };
    case 'image': return { kind: 'image', mediaId: frame.mediaId as MediaId };
    case 'location': return { kind: 'location', latitude: frame.latitude, longitude: frame.longitude, label: frame.label };
    case 'edit': return { kind: 'edit', target: frame.target, field: frame.field, value: frame.value };
    default: return frame satisfies never;
  }
}
