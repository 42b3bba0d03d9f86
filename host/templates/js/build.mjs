// Makes build/hook.wasm of src/hook.js and what that imports.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const { component } = await componentize({
  sourcePath: 'src/hook.js',
  witPath: 'wit',
  worldName: 'hook',
  // The engine's own `fetch` hides why a request failed; src/copal-http.js does not, and does without.
  disableFeatures: ['http', 'fetch-event'],
});
await mkdir('build', { recursive: true });
await writeFile('build/hook.wasm', component);
