/** One deployment, and everything that is asked of it, in this order: the journey wants a ledger that nothing else wrote to. */
import { access } from './access.ts'
import { fanOut } from './fan-out.ts'
import { journey } from './journey.ts'
import { operation } from './operation.ts'
import { permission } from './permission.ts'
import { retention } from './retention.ts'

journey()
operation()
retention()
fanOut()
access()
permission()
