#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int open = 0;

// Lets the initialisation of rclone's packages go on. Any call into Go waits for its end.
void RcloneOpenGate(void) {
	pthread_mutex_lock(&lock);
	open = 1;
	pthread_cond_broadcast(&opened);
	pthread_mutex_unlock(&lock);
}

void copal_gate_wait(void) {
	pthread_mutex_lock(&lock);
	while (!open) {
		pthread_cond_wait(&opened, &lock);
	}
	pthread_mutex_unlock(&lock);
}
