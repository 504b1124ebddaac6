/** The table's shape: names that the deployed table must have, and the adapter alone knows. */

/** `index1`/`index2`: the indexes' names, with all attributes projected. */
export const DYNAMO_SCHEMA = {
  partitionKey: 'pk',
  sortKey: 'sk',
  indexes: {
    index1: { partitionKey: 'index1pk', sortKey: 'index1sk' },
    index2: { partitionKey: 'index2pk', sortKey: 'index2sk' },
  },
  /** Epoch seconds; the table's time-to-live attribute. */
  expiryAttribute: 'expiresAtS',
} as const
