analyze event;
