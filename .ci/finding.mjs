// The search worker of the site, outside a browser: questions in, the pages that it finds for each out
import { readFileSync } from 'node:fs'
import vm from 'node:vm'

const [worker, index] = process.argv.slice(2)
const questions = JSON.parse(readFileSync(0, 'utf8'))
let answer
const self = { postMessage: message => answer(message) }
vm.runInNewContext(readFileSync(worker, 'utf8'), { self, Intl, console })
const ask = message => new Promise(resolve => { answer = resolve; self.onmessage({ data: message }) })

const data = JSON.parse(readFileSync(index, 'utf8'))
await ask({ type: 0, data })
const found = []
for (const question of questions) {
  const reply = await ask({ type: 2, data: { input: question, filter: { input: { type: 'operator', data: { operator: 'and', operands: [] } }, aggregation: { input: [] } } } })
  if (reply.type !== 3) throw new Error(`no answer to ${question}`)
  found.push([...new Set(reply.data.items.map(item => data.items[item.id].location.split('#')[0]))])
}
console.log(JSON.stringify(found))
