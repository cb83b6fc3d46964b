export type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined unless the bytes are one JSON object. */
export function parseObject(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A member that is text; '' where it is missing or something else. */
export const textOf = (object: JsonObject, name: string): string => {
  const value = object[name];
  return typeof value === 'string' ? value : '';
};

export const numberOf = (object: JsonObject, name: string): number | undefined => {
  const value = object[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** A member that is an object; empty where it is missing or something else. */
export const objectOf = (object: JsonObject, name: string): JsonObject => {
  const value = object[name];
  return isObject(value) ? value : {};
};

/** A member that is a list of objects; undefined where it is not. */
export const listOf = (object: JsonObject, name: string): readonly JsonObject[] | undefined => {
  const value = object[name];
  return Array.isArray(value) && value.every(isObject) ? value : undefined;
};

export const bytesOf = (text: string): number => Buffer.byteLength(text);
