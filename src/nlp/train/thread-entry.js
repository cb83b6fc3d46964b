// Plain JavaScript for the same reason as ../worker-entry.js.
import { register } from 'tsx/esm/api';

register();
await import('./thread.ts');
