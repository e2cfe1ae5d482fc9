import { SharedArray } from 'k6/data';
import csv from 'k6/experimental/csv';
import { open as openFile } from 'k6/experimental/fs';

const lines = new SharedArray('lines', () => open('./lines.txt').trim().split('\n'));
const file = await openFile('rows.csv');
const rows = await csv.parse(file, { asObjects: true });

export default async function () {
  const { name, size } = await file.stat();
  console.log('packed', lines.length, lines[1], rows[0].b, name, size);
}
