import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { levelOne, typeName } from '../../src/domain/catalogue.ts';
import { loadCatalogue } from '../../src/nlp/load-catalogue.ts';

const yaml = readFileSync(new URL('../../config/beijing/catalogue.yaml', import.meta.url), 'utf8');

test('the default catalogue is read whole', () => {
  const catalogue = loadCatalogue(yaml);
  expect(catalogue.types['utilities.water']).toMatchObject({ zh: '供水', lead: 'water', co: ['property', 'subdistrict'], clock: 'h24', transferOnly: false });
  expect(catalogue.types['government.conduct']).toMatchObject({ lead: 'discipline', transferOnly: true });
  expect(catalogue.types['other.unclassified']?.lead).toBeNull();
  expect(catalogue.types['utilities']).toBeUndefined();
  expect(typeName(catalogue, 'utilities.water')).toBe('供水');
  expect(typeName(catalogue, 'utilities')).toBe('公用事业');
  expect(typeName(catalogue, 'gone.away')).toBe('gone.away');
  expect(levelOne('utilities.water')).toBe('utilities');
  expect(structuredClone(catalogue)).toEqual(catalogue);
});

test.each([
  ['lead: water, co: [property, subdistrict], clock: h24', 'lead: plumbers, clock: h24', /utilities\.water.*plumbers/],
  ['lead: water, co: [property, subdistrict], clock: h24', 'lead: water, clock: soon', /utilities\.water/],
  ['  utilities:                { zh: 公用事业, en: Utilities }\n', '', /utilities\.power|utilities\.water/],
  ['natures: {', 'natures: { grumble: 嘟囔,', /natures/],
  ['types:', 'types: [', /YAML/],
])('a mistake is named: %s → %s', (from, to, message) => {
  expect(yaml).toContain(from);
  expect(() => loadCatalogue(yaml.replace(from, to))).toThrow(expect.objectContaining({ code: 'catalogue.invalid', message: expect.stringMatching(message) }));
});
