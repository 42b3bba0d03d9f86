// Phase `filter`: leaves out what ends with one of `suffixes`, and files larger than `max-size` bytes.
import * as copal from './copal.js';
import { readConfig } from './config.js';

let config;

export const filter = copal.filter({
  start() {
    config = readConfig();
    return { ask: ['sizes'] };
  },

  decide(path, size) {
    const unwanted =
      size > config['max-size'] || config.suffixes.some((suffix) => path.endsWith(suffix));
    return unwanted ? copal.SKIP : copal.KEEP;
  },
});
