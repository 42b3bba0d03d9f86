// Phase `post-backup`: tells `url` how the run ended.
import * as copal from './copal.js';
import { post } from './copal-http.js';
import { readConfig } from './config.js';

export const postBackup = copal.phase((report) => {
  const url = copal.needed(readConfig(), 'url');
  post(url, {
    outcome: report.outcome(),
    snapshot: report.snapshot() ?? null,
    files: Number(report.counter('files') ?? 0),
  });
  copal.log.info('the receiver was told', { outcome: report.outcome() });
});
