// The routes of results: their form, their rules, and what is made of them.
import { listenerProblems, when } from 'rules.bicep'

type outcome = 'valid' | 'valid_with_warnings' | 'invalid' | 'not_audited' | 'output_missing' | 'failed' | 'cancelled' | 'lost' | 'expired'
type eventType = 'job.settled' | 'job.outdated'

// A route, as docs/operations.md has it (Routes). The name leaves room for "-poison".
@export()
@sealed()
type route = {
  @minLength(3)
  @maxLength(56)
  queue: string
  @minLength(1)
  types: eventType[]?
  @minLength(1)
  outcomes: outcome[]?
  listeners: string[]?
  labels: { *: string }?
}

// The setting is read by the app, which stops when it is wrong.
@export()
func routeProblems(resultsQueue string, routes route[]) string[] =>
  concat(
    listenerProblems('RESULTS_ROUTES: listeners', flatten(map(routes, each => each.?listeners ?? []))),
    when(
      length(union(map(routes, each => each.queue), [resultsQueue])) <= length(routes),
      'RESULTS_ROUTES has two routes to one queue, or one to ${resultsQueue}, the default queue.'
    ),
    when(
      !empty(filter(routes, each => contains(['default', 'none', 'gem-batches'], each.queue) || endsWith(each.queue, '-poison'))),
      'RESULTS_ROUTES has a queue whose name is used for something else.'
    ),
    when(
      !empty(filter(routes, each => toLower(each.queue) != each.queue || contains(each.queue, '_') || contains(each.queue, '--'))),
      'RESULTS_ROUTES has a queue whose name has other characters than a-z, 0-9 and single hyphens.'
    )
  )

// The queues of manifests, and the object ids of the listeners of each.
@export()
func queuesOf(resultsQueue string, listeners string[], routes route[]) { name: string, listeners: string[] }[] =>
  concat(
    [{ name: resultsQueue, listeners: listeners }],
    map(routes, each => { name: each.queue, listeners: each.?listeners ?? [] })
  )

// The setting of the app, which need not know who listens. Empty without routes.
@export()
func settingOf(routes route[]) string =>
  empty(routes)
    ? ''
    : string(map(
        routes,
        each => toObject(filter(items(each), part => part.key != 'listeners'), part => part.key, part => part.value)
      ))
