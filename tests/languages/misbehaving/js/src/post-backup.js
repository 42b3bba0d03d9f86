// Misbehaves as `url` says.
import * as copal from './copal.js';
import { readConfig } from './config.js';

const deeper = (depth) => deeper(depth + 1) + depth;

export const postBackup = copal.phase(() => {
  switch (readConfig().url) {
    case 'throw':
      throw new Error('the sky falls as it was told');
    case 'loop':
      for (;;);
    case 'memory':
      for (const hoard = []; ; ) hoard.push(new Uint8Array(1 << 20).fill(1));
    case 'recursion':
      throw new copal.HookError('failed', String(deeper(1)));
  }
});
