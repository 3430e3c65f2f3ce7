/** `npm run bench NAME`: runs the benchmark of that name, which prints a table and a line of JSON. */
const [name = ''] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name)) {
  process.stderr.write('usage: npm run bench NAME [-- options]\n');
  process.exit(1);
}
await import(`./${name}.js`);
