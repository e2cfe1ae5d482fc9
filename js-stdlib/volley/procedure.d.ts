// Types of a procedure file, for editors: `/** @type {import('…/procedure').Procedure} */`. The checks themselves are
// those of `src/procedure`.

/** `1m30s`, `500ms`, `2h`. */
export type Duration = string;
/** `500MB`, `4GB`. */
export type Size = string;

export interface Procedure {
  name: string;
  /** A part of file names: letters, digits, `-` and `_`. Default `local`. */
  environment?: string;
  /** `BASE_URL` of every run; addresses may be paths below it. */
  baseUrl?: string;
  /** Default `./load_test_results/<YYYYmmdd_HHMMSS>`. */
  resultsDir?: string;
  /** The tag `phase` of every sample. */
  phase?: string;
  preflight?: Preflight;
  data?: Data;
  runs: Run[];
  collect?: Collect;
  /** `samples`: at least so many, instead of `limits.samples`. */
  criteria: (string | { name?: string; expression: string; samples?: number })[];
  /** `true`: beside the results. */
  archive?: boolean | { dir?: string; upload?: Upload };
  /** The samples of runs, in RUN.json.gz: at most `limit` (default 2GB) for all runs together, then thinned. `false`: none. */
  samples?: boolean | { limit?: Size };
  /** What is too much or too little. Default `{ failed: '5%', samples: 30 }`. */
  limits?: {
    failed?: string | number;
    samples?: number;
    slow?: string;
    cacheHits?: string | number;
    gain?: string | number;
    growth?: string | number;
  };
  /** The metrics and series that findings and reports look at beside the criteria; `*` stands for any text. */
  metrics?: {
    failed?: string[];
    cacheHits?: string[];
    memory?: string[];
    databaseConnections?: string;
    cacheMemory?: string;
  };
  /** Other severities of findings; a blocking one ends NOT APPROVED. */
  findings?: Partial<Record<Finding, 'blocking' | 'warning' | 'note'>>;
  hints?: Partial<Record<Finding, string>>;
}

export type Finding =
  | 'preflight' | 'resources' | 'data' | 'exit' | 'errors' | 'refused' | 'checks' | 'thresholds' | 'generator' | 'samples' | 'dropped' | 'slow'
  | 'cache' | 'memory' | 'collector' | 'thinned';

export interface Preflight {
  host?: {
    memory?: { minimum?: Size; recommended?: Size };
    cores?: { minimum?: number; recommended?: number };
    disk?: { minimum?: Size; recommended?: Size };
  };
  http?: HttpCheck[];
  redis?: Service;
  postgres?: Service;
  prometheus?: Service;
  /** Evaluate every script and its thresholds. Default `true`. */
  scripts?: boolean;
}

export interface Service {
  url: string;
  /** Without it there is no load. Default `true`. */
  required?: boolean;
}

export interface HttpCheck {
  name?: string;
  url: string;
  /** Default 200. */
  status?: number;
  /** `status == "ok"` */
  json?: string;
  /** The path of a list that must not be empty; `.` for the whole body. */
  notEmpty?: string;
  /** A header that has to be there. */
  header?: string;
  required?: boolean;
}

export interface Template {
  /** Default `POST`. */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** A text is sent as it is, anything else as JSON. `{i}`, `{1..5}`, `{login.PATH}`, `{created.PATH}` are filled in. */
  body?: unknown;
  /** Default: any from 200 to 299. */
  status?: number;
}

export interface Data {
  count: number;
  /** At most so many per second. Default 50. */
  rate?: number;
  request: Template;
  /** The body of record `i`, from 1 on, instead of `request.body`. A text is sent as it is, anything else as JSON. */
  record?: (i: number) => unknown;
  login?: Template;
  /** Reads a record back when all are made. Default method `GET`. */
  verify?: Template;
  /** Removes a record when all runs are over. Default method `DELETE`. `{created.PATH}` is of the answer that made it. */
  cleanUp?: Template;
}

/** Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from a file. */
export interface Upload {
  /** `s3://bucket/folder` */
  url: string;
  /** The store's address; without it, AWS. */
  endpoint?: string;
  /** Default: AWS_REGION, AWS_DEFAULT_REGION, `us-east-1`. */
  region?: string;
  /** A file such as `~/.aws/credentials`, relative to where `volley` runs. */
  credentials?: string;
  /** Its section. Default: AWS_PROFILE, `default`. */
  profile?: string;
}

/**
 * One of `duration`, `iterations` and `stages` shapes a run; without, the script's own options do. Only then may `scenarios`
 * and `once` choose what of the script runs.
 */
export interface Run {
  /** Letters, digits and `_`. */
  name: string;
  /** Relative to the procedure file. */
  script: string;
  vus?: number;
  duration?: Duration;
  iterations?: number;
  stages?: { duration: Duration; target: number }[];
  /** Only these scenarios of the script. */
  scenarios?: string[];
  /** One iteration of the script's scenario, or of each in `scenarios`. */
  once?: boolean;
  env?: Record<string, string | number | boolean>;
  tags?: Record<string, string>;
  coolDown?: Duration;
}

export interface Collect {
  /** Default `5s`. `--scale` multiplies it too; never more often than every 200ms. */
  every?: Duration;
  /** Default `true`. */
  host?: boolean;
  /** `monitor` logs what Redis is asked, in RUN_monitor.log; MONITOR costs Redis speed. Default 10000 lines, 2MB. */
  redis?: { url: string; monitor?: boolean | { lines?: number; bytes?: Size } };
  postgres?: { url: string };
  prometheus?: { url: string; queries: Record<string, string> };
}

declare const procedure: Procedure;
export default procedure;
