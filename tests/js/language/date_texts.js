// Texts of dates in the forms that k6, node and QuickJS read. Local time is that of the zone the program runs in.
// env: TZ=Europe/Berlin
// console: done
const UTC = 1_709_200_800_000;
const HOUR = 3_600_000;

const TEXTS = [
  ['2024-02-29T10:00:00Z', UTC], ['2024-02-29T10:00:00.000+00:00', UTC], ['2024-02-29T11:00:00+01:00', UTC],
  ['2024-02-29T11:00:00+0100', UTC], ['2024-02-29 10:00:00Z', UTC], ['2024-02-29 10:00:00 UTC', UTC],
  ['2024-02-29 10:00:00 GMT', UTC], ['2024-02-29 11:00:00 +0100', UTC], ['2024-02-29 10:00:00.000 +0000', UTC],
  ['Thu Feb 29 2024 10:00:00 GMT+0000', UTC], ['Thu Feb 29 2024 11:00:00 GMT+0100 (CET)', UTC],
  ['Thu Feb 29 2024 11:00:00 GMT+0100 (Central European Standard Time)', UTC], ['Thu, 29 Feb 2024 10:00:00 GMT', UTC],
  ['Thu, 29-Feb-2024 10:00:00 GMT', UTC], ['Thursday, 29-Feb-24 10:00:00 GMT', UTC], ['29 Feb 2024 10:00:00 UTC', UTC],
  ['29 February 2024 10:00 GMT', UTC], ['Feb 29 2024 05:00:00 EST', UTC], ['Feb 29, 2024 02:00:00 AM PST', UTC],
  ['Thu Feb 29 10:00:00 UTC 2024', UTC], ['2/29/2024 10:00:00 GMT', UTC], ['2024/02/29 10:00 Z', UTC],
  ['2024-02-29T11:00', UTC], ['2024-02-29 11:00:00', UTC], ['2024-02-29 11:00', UTC], ['2024/02/29 11:00:00', UTC],
  ['2/29/2024 11:00', UTC], ['2/29/2024, 11:00:00 AM', UTC], ['02/29/2024, 11:00:00', UTC], ['February 29, 2024 11:00:00', UTC],
  ['Feb 29, 2024, 11:00:00 AM', UTC], ['29 February 2024 11:00 AM', UTC], ['Thu Feb 29 2024 11:00:00', UTC],
  ['Thu Feb 29 11:00:00 2024', UTC], ['2024-2-29 11:00', UTC], ['2-29-2024 11:00', UTC], ['Thursday, 29 February 2024 11:00:00', UTC],
  ['2024-02-29', UTC - 10 * HOUR], ['Feb 29, 2024', UTC - 11 * HOUR], ['29 Feb 2024', UTC - 11 * HOUR],
  ['2/29/2024', UTC - 11 * HOUR], ['2024/2/29', UTC - 11 * HOUR], ['2024-2-29', UTC - 11 * HOUR], [' 2024-02-29 ', UTC - 11 * HOUR],
  ['2024-02-30', UTC + 14 * HOUR], ['2024-02-30 00:00', UTC + 13 * HOUR], ['2024-02', 1_706_745_600_000], ['2024', 1_704_067_200_000],
  ['2/29/2024 11:00 PM', UTC + 12 * HOUR], ['2/29/2024 12:30 AM', UTC - 10.5 * HOUR], ['2/29/2024 12:30 PM', UTC + 1.5 * HOUR],
  ['2024-02-29T10:00:00.123456789Z', UTC + 123], ['2024-02-29T24:00:00Z', UTC + 14 * HOUR], ['Feb 29 GMT', 983_404_800_000],
  ['99 UTC', 915_148_800_000], ['1 UTC', 978_307_200_000], ['0 UTC', 946_684_800_000], ['Mon, 25 Dec 1995 13:30:00 +0430', 819_882_000_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0], ['+275760-09-13T00:00:00.000Z', 8.64e15], ['-000001-01-01T00:00:00Z', -62_198_755_200_000],
];
const WRONG = [
  '', 'nothing', 'Feb', '12:00', '2024-13-01', '2024-02-32', '20240229', '2024-02-29T25:00', '2024-02-29T10', '2024-02-29T1:00',
  '-000000-01-01', '13/13/2024', '29.02.2024', 'Foo 29, 2024', '2024 Foo', 'Feb 29 2024 3 PM', '1709200800000', '+275760-09-13T00:00:00.001Z',
];

export default function () {
  for (const [text, expected] of TEXTS) {
    const ms = new Date(text).getTime();
    if (ms !== expected || Date.parse(text) !== expected) console.log(`${text}: ${ms} instead of ${expected}, ${(ms - expected) / HOUR} h off`);
  }
  for (const text of WRONG) if (!Number.isNaN(Date.parse(text))) console.log(`${text} is read as ${new Date(text).toISOString()}`);
  for (const ms of [0, UTC, UTC + 200 * 24 * HOUR, 951_782_400_000]) {
    const date = new Date(ms);
    for (const text of [String(date), date.toUTCString(), date.toISOString(), date.toLocaleString(), JSON.parse(JSON.stringify(date)), `${date.toDateString()} ${date.toTimeString()}`]) {
      if (Date.parse(text) !== ms) console.log(`${text} is read as ${Date.parse(text)}`);
    }
  }
  console.log('done');
}
