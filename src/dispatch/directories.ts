import type { Catalogue } from '../domain/catalogue.ts';
import type { Directory } from '../domain/directory.ts';
import type { DirectoryJudge, DirectoryVersion, StoredDirectory } from '../domain/directory-version.ts';
import { checkDates, checkDirectory, directoryInForce, type CityKnowledge } from './check-directory.ts';
import { loadDirectories, type DirectoryFile } from './load-directory.ts';
import { mistakeText, readDirectory } from './read-directory.ts';
import { goesElsewhere } from './replay.ts';

export interface DirectoriesDeps {
  readonly files: readonly DirectoryFile[];
  readonly city: CityKnowledge & { readonly catalogue: Catalogue };
  /** `YYYY-MM-DD` now, the city's time. */
  readonly today: () => string;
  readonly stored: () => Promise<readonly StoredDirectory[]>;
}

export interface Directories extends DirectoryJudge {
  /** The version that decides today; null: none. */
  inForce(): Directory | null;
}

/**
 * All released versions, of the files and of the desk; the one that has begun last is in force. What is in the store is read by `reload`.
 *
 * @throws AppError `directory.invalid` for the files
 */
export function openDirectories({ files, city, today, stored }: DirectoriesDeps): Directories {
  const ofFiles = loadDirectories(files, city);
  const written = files.flatMap((file) => readDirectory(file.name, file.text).written ?? []);
  let all: readonly Directory[] = ofFiles;
  const judgeOf = (name: string, text: string) => {
    const read = readDirectory(name, text);
    return { read, checked: checkDirectory(read, city) };
  };
  const inForce = (): Directory | null => directoryInForce(all, today());
  return {
    inForce,
    versions: () => ({
      inForce: inForce()?.version ?? null, today: today(),
      ofFiles: ofFiles.map(({ version, validFrom }): DirectoryVersion => ({ version, validFrom, state: 'file', by: null, at: null })),
    }),
    textOf: (version) => files.find((file) => readDirectory(file.name, file.text).written?.version === version)?.text ?? null,
    judge(text) {
      const { read, checked } = judgeOf(/^\s*(?:#|id,)/.test(text) && !/^version:/m.test(text) ? 'draft.csv' : 'draft.yaml', text);
      const version = read.written?.version ?? '';
      const dates = read.written ? checkDates([...written, read.written]).filter((mistake) => mistake.where === read.written?.file) : [];
      const { directory } = checked;
      return {
        version, validFrom: read.written?.validFrom ?? '', rows: read.written?.rows.length ?? 0,
        mistakes: [...checked.mistakes, ...dates].map(mistakeText), notes: checked.notes.map(mistakeText),
        elsewhere: directory && dates.length === 0 ? (ticket) => [goesElsewhere(directory, city.catalogue, ticket) ?? []].flat() : null,
      };
    },
    async reload() {
      const released = (await stored()).filter((each) => each.state === 'released');
      // What was sound when it was released may name a unit that the city has dropped since: then it does not count, the version before it does.
      all = [...ofFiles, ...released.flatMap((each) => judgeOf(`${each.version}.yaml`, each.text).checked.directory ?? [])];
    },
  };
}
