import exec from 'k6/execution';

export const options = { vus: 5, iterations: 1, executionSegment: '0:1/4', executionSegmentSequence: '0,1/4,1' };

export default function () {
  const { scenarios, executionSegment } = exec.test.options;
  console.log(`${Object.keys(scenarios)} ${scenarios.default.exec} ${executionSegment}`);
}
