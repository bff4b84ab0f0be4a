/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/fuzz/sequence/model.h"

/* What the parts of the model have in common: calls (model.c), what is in flight, and the pod. */

/* model.c */
void m_push(struct m_queue *q, struct m_call *c);
struct m_call *m_pop(struct m_queue *q);
void m_answer(struct m_call *c, int code);
void m_answer_ended(struct m_call *c, const struct m_process *p);
bool m_is_init(const struct m_task *t, const struct m_process *p);
void m_publish(struct model *m, enum m_topic topic, const struct m_task *t,
	       const struct m_process *p);
void m_all_runnable(struct model *m, struct m_queue *q);
void m_settle(struct model *m, struct m_task *t, struct m_process *p);
void m_forget_task(struct model *m, struct m_task *t);

/* flight.c */
struct m_op *m_begin(struct model *m, struct m_task *t, struct m_process *slot, struct m_process *p,
		     struct m_call *c);
void m_want(struct model *m, struct m_op *op, enum m_part part, const char *verb);
void m_begin_delete(struct model *m, struct m_task *t, struct m_call *c);
/* init has ended: what else is in flight has two seconds to notice. */
void m_limit(struct model *m, struct m_task *t);
void m_release(struct model *m, struct m_run *r, bool doomed);
void m_expire_parked(const struct model *m, struct m_queue *q);
/* The slot is free, and of what still runs nobody hears: it is killed, or goes on. */
void m_end(struct model *m, struct m_op *op, bool killed);

/* model_pod.c */
void m_pod_call(struct model *m, struct m_call *c);
void m_pod_time(struct model *m);
