import { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Problem } from './core/problem.ts'
import type { StepAttributes, Tracer } from './core/tracer.ts'

/** Traces that go to a collector. */
export interface Tracing {
  readonly tracer: Tracer
  /** Sends what waits, for two seconds at most: a collector that is away must not hold up the end of the process. */
  close(): Promise<void>
}

const closesWithinMs = 2_000
const sendsWithinMs = 5_000

/**
 * Traces by OpenTelemetry, sent by OTLP over HTTP in JSON. Loaded only where a collector is named.
 *
 * What runs belongs to the trace it was begun in by a storage of this service's own: nothing global is registered, so no other
 * library starts to trace. The exporter is the one request that leaves past the guarded client: it goes where the
 * operator says, holds no secret, and its library makes it.
 */
export function startTracing(endpoint: string, role: string): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: sendsWithinMs })
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'connector-oauth', 'service.instance.role': role }),
    // Bounded: spans that the collector cannot take are dropped, never kept in memory.
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        maxQueueSize: 2_048,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: sendsWithinMs,
      }),
    ],
  })
  const spans = provider.getTracer('connector-oauth')
  const storage = new AsyncLocalStorage<Context>()
  const current = (): Context => storage.getStore() ?? ROOT_CONTEXT

  const tracer: Tracer = {
    async step(name, attributes, work) {
      const kind = name === 'provider request' ? SpanKind.CLIENT : SpanKind.INTERNAL
      const span = spans.startSpan(name, { kind, attributes }, current())
      try {
        return await storage.run(trace.setSpan(current(), span), () =>
          work((more: StepAttributes) => void span.setAttributes(more)),
        )
      } catch (error) {
        // Never the message or the stack: they may quote what the work was given.
        span.setAttribute('error.type', errorType(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    request(parent) {
      const span = spans.startSpan('request', { kind: SpanKind.SERVER }, contextOf(parent))
      const context = trace.setSpan(ROOT_CONTEXT, span)
      return {
        traceId: span.spanContext().traceId,
        run: (work) => storage.run(context, work),
        end({ route, method, status }) {
          span.updateName(`${method} ${route}`)
          span.setAttributes({
            'http.route': route,
            'http.request.method': method,
            'http.response.status_code': status,
          })
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    },
  }
  return {
    tracer,
    async close() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closesWithinMs)
      })
      await Promise.race([provider.shutdown().catch(() => {}), late])
      clearTimeout(timer)
    },
  }
}

/** The parts of a `traceparent` that was judged to be well-formed: `00-<trace>-<span>-<flags>`. */
function contextOf(parent: string | undefined): Context {
  const [, traceId, spanId, flags] = parent?.split('-') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

function errorType(error: unknown): string {
  if (error instanceof Problem) return error.code
  return error instanceof Error ? error.name : 'unknown'
}
