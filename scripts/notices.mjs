#!/usr/bin/env node
// Writes target/THIRD-PARTY.txt: what others wrote of what is in both packages, each under its licence and with the
// notices that the licence wants along. Reads the sources that cargo and npm have fetched; fails where they are not.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ui = join(root, 'ui');
const target = join(root, 'target', 'THIRD-PARTY.txt');
/** What the packages hold: the app's crate and the hub's, the tablet's screens and the console. */
const PROGRAMS = ['standpipe', 'standpipe-hub'];
const SCREENS = ['tablet', 'office'];

const NOTICE = /^(un)?licen[cs]e|^copying|^copyright|^notice/i;
const CODE = /\.(rs|[ch]|cc|cpp|m?[jt]s|cjs|svelte|vue|json|map|toml|py|sh|cmake)$/i;

function run(program, ...options) {
  return execFileSync(program, options, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** The files of a folder that tell its terms, also those of code that lies in it under terms of its own. */
function notices(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && NOTICE.test(entry.name) && !CODE.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !relative(folder, path).split(sep).includes('node_modules'))
    .sort()
    .map((path) => ({ name: relative(folder, path), text: readFileSync(path, 'utf8') }));
}

/** The crates that both programs are built from. */
function crates() {
  const host = /^host: (.*)$/m.exec(run('rustc', '-vV'))?.[1];
  const metadata = JSON.parse(run('cargo', 'metadata', '--locked', '--format-version', '1', '--filter-platform', host));
  const known = new Map(metadata.packages.map((crate) => [`${crate.name} v${crate.version}`, crate]));
  const packages = PROGRAMS.flatMap((program) => ['-p', program]);
  const tree = run('cargo', 'tree', '--locked', '-e', 'normal', '--prefix', 'none', '--format', '{p}', ...packages);
  const named = new Set(tree.split('\n').flatMap((line) => /^\S+ v\S+/.exec(line) ?? []));
  return [...named].sort().flatMap((name) => {
    const crate = known.get(name);
    if (!crate) throw new Error(`cargo's tree names ${name}, its metadata does not`);
    // Without a registry: a crate of this workspace.
    if (crate.source === null) return [];
    const folder = dirname(crate.manifest_path);
    if (!existsSync(crate.manifest_path)) throw new Error(`the sources of ${name} are not at ${folder}`);
    const files = notices(folder);
    const own = crate.license_file && resolve(folder, crate.license_file);
    if (own && !files.some((file) => resolve(folder, file.name) === own)) {
      files.push({ name: relative(folder, own), text: readFileSync(own, 'utf8') });
    }
    const { version, license, repository, homepage, authors } = crate;
    return [{ name: crate.name, version, license, at: repository ?? homepage, by: authors.join(', '), files }];
  });
}

/** What Rust's own distribution says of its standard library, which is part of every program. */
function standardLibrary() {
  const [, version] = run('rustc', '--version').split(' ');
  const path = join(run('rustc', '--print', 'sysroot').trim(), 'share/doc/rust/COPYRIGHT-library.html');
  if (!existsSync(path)) throw new Error(`the notices of Rust's standard library are not at ${path}`);
  const page = readFileSync(path, 'utf8');
  const [own, ...parts] = page.slice(page.indexOf('Short version for non-lawyers</h2>')).split('<h3>');
  const files = [{ name: 'COPYRIGHT', text: plain(own.slice(own.indexOf('</h2>'))) }];
  const library = { name: "Rust's standard library", version, license: 'Apache-2.0 OR MIT', files };
  return [
    library,
    ...parts.map((part) => {
      const [, title] = /^\S+ (\S+)<\/h3>/.exec(part) ?? [];
      const license = field(part, 'License');
      if (!title || !license) throw new Error(`${path} is written in a way that this script does not know`);
      const [, name, version] = /^(.*?)-(\d.*)$/.exec(title) ?? [];
      const texts = part.matchAll(/<code>([^<]*)<\/code><\/summary>\s*<pre>(.*?)<\/pre>/gs);
      const files = [...texts].map(([, name, text]) => ({ name: plain(name), text: plain(text) }));
      const [at, by] = [field(part, 'URL'), field(part, 'Authors')];
      return { name: `${name} (in Rust's standard library)`, version, license, at, by, files };
    }),
  ];
}

function plain(html) {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|amp);/g, (_, name) => ({ lt: '<', gt: '>', quot: '"', amp: '&' })[name])
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\s+$/g, '');
}

const field = (html, label) => plain(new RegExp(`<b>${label}:</b>(.*?)</p>`, 's').exec(html)?.[1] ?? '').trim();

/** The npm packages whose code is in the screens: those that the bundler takes, and those that package.json names. */
async function npmPackages() {
  const require = createRequire(join(ui, 'package.json'));
  const vite = join(dirname(require.resolve('vite/package.json')), 'dist/node/index.js');
  const { build } = await import(pathToFileURL(vite));
  const taken = new Set();
  for (const screen of SCREENS) {
    const built = await build({ root: join(ui, screen), logLevel: 'error', build: { write: false } });
    const modules = [built].flat().flatMap(({ output }) => output.flatMap((chunk) => Object.keys(chunk.modules ?? {})));
    if (modules.length === 0) throw new Error(`the bundler names no module of ui/${screen}`);
    modules.flatMap(owner).forEach((name) => taken.add(name));
  }
  for (const part of ['kit', ...SCREENS]) {
    const { dependencies } = JSON.parse(readFileSync(join(ui, part, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies ?? {})) if (!name.startsWith('@standpipe/')) taken.add(name);
  }
  return [...taken].sort().map((name) => {
    const folder = join(ui, 'node_modules', name);
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) throw new Error(`the npm package ${name} is not at ${folder}: run make setup`);
    const { version, license, author, repository } = JSON.parse(readFileSync(manifest, 'utf8'));
    if (typeof license !== 'string') throw new Error(`the npm package ${name} names no licence`);
    // An owner and a name alone mean GitHub.
    const at = (repository?.url ?? repository)
      ?.replace(/^git\+/, '')
      .replace(/^(?=[^/:]+\/[^/:]+$)/, 'https://github.com/');
    return { name, version, license, at, by: author?.name ?? author, files: notices(folder) };
  });
}

/** The package that a module of the bundle belongs to; none for our own. */
function owner(id) {
  // What the bundler itself adds has no file.
  const added = /^\0(rolldown|vite)\//.exec(id);
  if (added) return [added[1]];
  const path = relative(ui, id.split('?')[0]);
  const inside = /^node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path);
  if (inside) return [inside[1]];
  if (path.includes('/src/paraglide/')) return ['@inlang/paraglide-js'];
  if (SCREENS.concat('kit').includes(path.split('/')[0])) return [];
  throw new Error(`whose is ${JSON.stringify(id)}, which the bundler takes into the screens?`);
}

/** Texts by number; the same text, but for the ends of its lines, once. */
class Texts {
  numbers = new Map();

  number(text) {
    const normal = text
      .replace(/^\uFEFF/, '')
      .replace(/[ \t\f\r]+$/gm, '')
      .replace(/^\n+|\s+$/g, '');
    if (!this.numbers.has(normal)) this.numbers.set(normal, this.numbers.size + 1);
    return this.numbers.get(normal);
  }
}

function entry({ name, version, license, at, by, files }, texts) {
  if (!license && files.length === 0) throw new Error(`${name} ${version} tells no licence`);
  const lines = [`${name} ${version}: ${license ?? 'the licence is in the text'}`];
  if (at) lines.push(`    ${at}`);
  if (files.length === 0) lines.push(`    Its sources carry no text of the licence.${by ? ` By ${by}.` : ''}`);
  else lines.push(`    ${files.map((file) => `${file.name} [${texts.number(file.text)}]`).join(', ')}`);
  return lines.join('\n');
}

function document(chapters) {
  const texts = new Texts();
  const written = chapters.map(([title, parts]) =>
    [title, '='.repeat(title.length), ...parts.map((part) => entry(part, texts))].join('\n'),
  );
  const rule = '-'.repeat(100);
  const all = [...texts.numbers].map(([text, number]) => `${rule}\n[${number}]\n\n${text}`);
  return `Third-party software in Standpipe

Standpipe is licensed under Apache-2.0. Its tablet app and its hub are built from the software below, unchanged, each
part under its own licence. The source code of each part, in the version named, is to be had at the address beside it. A
number in brackets is that of a text further down. Some sources bring code along that is not built in, for another
system or where the system's own library is used; its texts are listed all the same.

This software is based in part on the work of the Independent JPEG Group.

${written.join('\n\n')}

Texts
=====
${all.join('\n\n')}
`;
}

try {
  const chapters = [
    ['Rust', [...crates(), ...standardLibrary()]],
    ['Screens', await npmPackages()],
  ];
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, document(chapters));
  const count = chapters.map(([title, parts]) => `${title}: ${parts.length}`).join(', ');
  console.log(`${relative(root, target)} (${count})`);
} catch (error) {
  console.error(`✕ the notices of third parties cannot be written: ${error.message}`);
  process.exit(1);
}
