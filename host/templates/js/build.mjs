// Makes build/hook.wasm of src/hook.js. One file is what the engine takes, so copal.js goes in front.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const { component } = await componentize({
  sourcePath: 'src/hook.js',
  witPath: 'wit',
  worldName: 'hook',
  // `http` is what `fetch` needs, `stdio` is where the text of an exception goes.
  disableFeatures: ['fetch-event'],
});
await mkdir('build', { recursive: true });
await writeFile('build/hook.wasm', component);
