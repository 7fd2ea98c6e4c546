// A tus client that was not written for Standpipe sends one file, as its own documentation shows.
// node foreign.mjs <address of the hub's blobs> <token> <file> <folder to remember uploads in> <how>
// how: `die` ends this process hard in the middle of a piece; `resume` looks for what was begun and goes on;
// `tunnel` does so through POST alone; `along` sends the first piece along with the announcement; `blind` says no hash.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(new URL('../../../../ui/package.json', import.meta.url));
const tus = require('tus-js-client');

const [endpoint, token, file, folder, how] = process.argv.slice(2);
const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
const PIECE = 1024 * 1024;

const upload = new tus.Upload(createReadStream(file), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: how === 'blind' ? { filename: 'photo.jpg' } : { filename: 'photo.jpg', sha256 },
  chunkSize: PIECE,
  retryDelays: [0, 0],
  urlStorage: new tus.FileUrlStorage(join(folder, 'uploads.json')),
  overridePatchMethod: how === 'tunnel',
  uploadDataDuringCreation: how === 'along',
  onProgress(sent) {
    if (how === 'die' && sent > 1.5 * PIECE) process.kill(process.pid, 'SIGKILL');
  },
  onUploadUrlAvailable: () => console.log('at', upload.url),
  onChunkComplete: (size, accepted) => console.log('accepted', size, accepted),
  onSuccess: () => console.log('done'),
  onError(error) {
    console.log('failed', error.originalResponse?.getStatus(), error.originalResponse?.getBody());
    process.exitCode = 1;
  },
});
const begun = await upload.findPreviousUploads();
console.log('begun', begun.length);
if (begun.length > 0) upload.resumeFromPreviousUpload(begun[0]);
upload.start();
