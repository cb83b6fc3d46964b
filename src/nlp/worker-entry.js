// Plain JavaScript: on Node 20 tsx given by --import does not take hold inside a thread, so it is registered by hand.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
