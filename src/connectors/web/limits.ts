import { AppError } from '../../domain/errors.ts';
import type { Coordination } from '../../domain/ports.ts';

/** Generous: a resident who types fast, a family or an office behind one address never meets them. */
export interface WebLimits {
  readonly messagesPerMinute: number;
  readonly messagesPerMinuteOfAddress: number;
  /** Of one socket, acks and pings included; beyond it the socket is closed. */
  readonly framesPerMinute: number;
  readonly sessionsPerHourOfAddress: number;
  readonly picturesPerHour: number;
  readonly socketsOfResident: number;
}

export const DEFAULT_LIMITS: WebLimits = {
  messagesPerMinute: 90, messagesPerMinuteOfAddress: 3_000, framesPerMinute: 1_200, sessionsPerHourOfAddress: 10_000, picturesPerHour: 120, socketsOfResident: 20,
};

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** @throws AppError `rate.limited` */
export interface Limiter {
  message(residentId: string, address: string): Promise<void>;
  session(address: string): Promise<void>;
  picture(residentId: string): Promise<void>;
}

export function buildLimiter(coordination: Pick<Coordination, 'allow'>, limits: WebLimits): Limiter {
  const check = async (key: string, limit: number, windowMs: number): Promise<void> => {
    if (!await coordination.allow(key, limit, windowMs)) throw new AppError('rate.limited', `at most ${limit} in ${windowMs / 1000} s`);
  };
  const ofAddress = async (use: string, address: string, limit: number, windowMs: number): Promise<void> => {
    if (!isLoopback(address)) await check(`web:${use}:address:${address}`, limit, windowMs);
  };
  return {
    async message(residentId, address) {
      await check(`web:message:${residentId}`, limits.messagesPerMinute, MINUTE_MS);
      await ofAddress('message', address, limits.messagesPerMinuteOfAddress, MINUTE_MS);
    },
    session: (address) => ofAddress('session', address, limits.sessionsPerHourOfAddress, HOUR_MS),
    picture: (residentId) => check(`web:picture:${residentId}`, limits.picturesPerHour, HOUR_MS),
  };
}

/** Who shares the machine is a proxy, a developer or a load test; the address says nothing about a person. */
const isLoopback = (address: string): boolean => address === '::1' || /^(::ffff:)?127\./.test(address);
