/** `npm run erase -- RESIDENT_ID`: forgets one resident. The data folder must be free when embedded; see docs/operations.md. */
import type { ResidentId } from '../domain/ids.ts';
import { openToolStore, readToolConfig, runTool, UsageError } from './open-tool.ts';

runTool(async () => {
  const [residentId, ...rest] = process.argv.slice(2);
  if (residentId === undefined || rest.length > 0 || !/^[\w-]{1,64}$/.test(residentId)) throw new UsageError('Usage: npm run erase -- RESIDENT_ID');
  const store = await openToolStore(readToolConfig(), { readonly: false });
  try {
    const known = await store.residentExists(residentId as ResidentId);
    if (known) await store.eraseResident(residentId as ResidentId, Date.now());
    process.stdout.write(`${JSON.stringify({ residentId, erased: known })}\n`);
    return known ? 0 : 1;
  } finally {
    await store.close();
  }
});
