import { Counter, Gauge, Registry } from 'prom-client';
import { METRICS, type MetricDefinition, type MetricName, type Sample } from './definitions.js';

export interface Exposition {
  contentType: string;
  body: string;
}

/** The samples in Prometheus' text format. What is not among them is not shown: nothing is kept from one scrape to the next. */
export async function expose(samples: readonly Sample[]): Promise<Exposition> {
  const registry = new Registry();
  for (const [name, { type, help, labels: labelNames }] of Object.entries<MetricDefinition>(METRICS)) {
    const own = samples.filter((sample) => sample.name === (name as MetricName));
    if (own.length === 0) continue;
    const options = { name, help, labelNames: [...labelNames], registers: [registry] };
    if (type === 'gauge') {
      const gauge = new Gauge(options);
      for (const { labels, value } of own) gauge.set(labels, value);
    } else {
      const counter = new Counter(options);
      for (const { labels, value } of own) counter.inc(labels, value);
    }
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
