// The alerts. Each query is a file of ../queries; a test compares its words with what the app logs.
param location string
param tags { *: string }
param appName string
param workspaceId string
param topicId string
param email string
param silentAfter string
param waitingMinutes int

// A rule fires when its query returns a row. no-successful-tick returns one when there is no tick.
var rules = [
  {
    name: 'no-successful-tick'
    says: 'No tick has succeeded for three schedules, so GEM is not asked. Read the app\'s log, then run doctor.'
    severity: 1
    query: loadTextContent('../queries/no-successful-tick.kql')
    window: silentAfter
    every: 'PT5M'
  }
  {
    name: 'app-not-loaded'
    says: 'The package is broken: the app cannot be loaded and does nothing. The line app_not_loaded in its log has the error. Correct it, then deploy again.'
    severity: 1
    query: loadTextContent('../queries/app-not-loaded.kql')
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    name: 'gem-refuses'
    says: 'GEM refuses the key or the token, so ticks stop. Rotate the key or correct the identity.'
    severity: 1
    query: loadTextContent('../queries/gem-refuses.kql')
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    name: 'gem-not-answering'
    says: 'For over half an hour GEM answered no question, or there is no token for it. Nothing is concluded about any job. Run doctor.'
    severity: 2
    query: loadTextContent('../queries/gem-not-answering.kql')
    window: 'PT1H'
    every: 'PT15M'
  }
  {
    name: 'function-failures'
    says: 'Runs of a function fail again and again, or one failed and none has succeeded since. Read the exception in the log.'
    severity: 2
    query: loadTextContent('../queries/function-failures.kql')
    window: 'PT1H'
    every: 'PT15M'
  }
  {
    name: 'poison-queue'
    says: 'Messages failed five times and are in a poison queue. The sweep raises their tickets again. Correct the cause, then run: gem-courier poison replay.'
    severity: 2
    query: loadTextContent('../queries/poison-queue.kql')
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    name: 'poison-expiring'
    says: 'The oldest message of a poison queue is five days old. Azure deletes it when it is seven days old. Correct the cause, then run: gem-courier poison replay.'
    severity: 1
    query: loadTextContent('../queries/poison-expiring.kql')
    window: 'PT1H'
    every: 'PT1H'
  }
  {
    name: 'jobs-past-deadline'
    says: 'Jobs ended as expired (older than the deadline) or lost (unknown to GEM for too long).'
    severity: 2
    query: loadTextContent('../queries/jobs-past-deadline.kql')
    window: 'PT1H'
    every: 'PT1H'
  }
  {
    name: 'manifests-waiting'
    says: 'Jobs are settled for longer than an output may take to appear, and their manifest was not sent. Read the log of deliver_results.'
    severity: 1
    query: loadTextContent('../queries/manifests-waiting.kql')
    window: 'P1D'
    every: 'PT30M'
  }
  {
    name: 'deliveries-postponed'
    says: 'Deliveries fail for over an hour for a reason that should pass. The reason is in each line. Correct it: the app tries again at least every ten minutes.'
    severity: 2
    query: loadTextContent('../queries/deliveries-postponed.kql')
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    name: 'gem-drifted'
    says: 'GEM answers with words or fields that are not in its documentation.'
    severity: 2
    query: loadTextContent('../queries/gem-drifted.kql')
    window: 'PT1H'
    every: 'PT1H'
  }
  {
    name: 'log-quota-reached'
    says: 'The workspace has reached its quota for today and drops the app\'s lines, so the other log alerts are blind. Find what logs so much, or raise LOG_QUOTA_GB.'
    severity: 1
    query: loadTextContent('../queries/log-quota-reached.kql')
    window: 'PT1H'
    every: 'PT15M'
  }
]

var metrics = [
  { name: 'events-dead-lettered', metric: 'DeadLetteredCount' }
  { name: 'events-dropped', metric: 'DroppedEventCount' }
]

resource team 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-gem-courier'
  location: 'Global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'gemcourier'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'alert-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'GEM Courier: ${rule.name}'
    description: rule.says
    enabled: true
    severity: rule.severity
    scopes: [workspaceId]
    windowSize: rule.window
    evaluationFrequency: rule.every
    // The tables do not exist until the first log line.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: replace(replace(rule.query, '{app}', appName), '{waiting}', '${waitingMinutes}m')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [team.id] }
  }
}]

resource eventAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for item in metrics: {
  name: 'alert-${item.name}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not deliver tickets. The sweep raises them again. Repair the subscription: azd hooks run postdeploy.'
    enabled: true
    severity: 2
    scopes: [topicId]
    windowSize: 'PT15M'
    evaluationFrequency: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: item.metric
          metricName: item.metric
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: team.id }]
  }
}]
